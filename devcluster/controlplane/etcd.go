package main

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
	genericapiserver "k8s.io/apiserver/pkg/server"
)

type etcdOptions struct {
	dataDir       string
	clientURL     string
	peerURL       string
	snapshotCount uint64
	unsafeNoFsync bool
}

func newEtcdCommand() *cobra.Command {
	o := etcdOptions{snapshotCount: embed.NewConfig().SnapshotCount}
	cmd := &cobra.Command{
		Use:          "etcd",
		Short:        "Run one embedded etcd member",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         func(*cobra.Command, []string) error { return runEtcd(o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.dataDir, "data-dir", "", "folder of the database (required)")
	flags.StringVar(&o.clientURL, "listen-client-url", "http://127.0.0.1:2379", "where clients connect")
	flags.StringVar(&o.peerURL, "listen-peer-url", "http://127.0.0.1:2380", "where other members would connect")
	flags.Uint64Var(&o.snapshotCount, "snapshot-count", o.snapshotCount, "writes kept in memory between two snapshots")
	flags.BoolVar(&o.unsafeNoFsync, "unsafe-no-fsync", false, "do not wait for the disk: fast, and data may be lost when the machine stops")
	if err := cmd.MarkFlagRequired("data-dir"); err != nil {
		panic(err)
	}
	return cmd
}

func runEtcd(o etcdOptions) error {
	config, err := o.config()
	if err != nil {
		return err
	}
	stop := genericapiserver.SetupSignalHandler()
	server, err := embed.StartEtcd(config)
	if err != nil {
		return fmt.Errorf("etcd did not start: %w", err)
	}
	defer server.Close()
	select {
	case <-stop:
		return nil
	case <-server.Server.StopNotify():
		return errors.New("etcd stopped by itself")
	case err := <-server.Err():
		return fmt.Errorf("etcd failed: %w", err)
	}
}

func (o etcdOptions) config() (*embed.Config, error) {
	client, err := url.Parse(o.clientURL)
	if err != nil {
		return nil, fmt.Errorf("--listen-client-url: %w", err)
	}
	peer, err := url.Parse(o.peerURL)
	if err != nil {
		return nil, fmt.Errorf("--listen-peer-url: %w", err)
	}
	config := embed.NewConfig()
	config.Name = "devcluster"
	config.Dir = o.dataDir
	config.ListenClientUrls = []url.URL{*client}
	config.AdvertiseClientUrls = []url.URL{*client}
	config.ListenPeerUrls = []url.URL{*peer}
	config.AdvertisePeerUrls = []url.URL{*peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.SnapshotCount = o.snapshotCount
	config.UnsafeNoFsync = o.unsafeNoFsync
	config.LogLevel = "warn"
	// Only etcd's own main sets this default; without it every single request is logged as a slow one.
	config.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
	return config, nil
}
