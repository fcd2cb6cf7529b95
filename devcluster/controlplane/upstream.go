package main

import (
	"github.com/spf13/cobra"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubeapiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	kubecontrollermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	kubescheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	// The upstream main packages register these by blank import, and so their log and metric flags mean the same here.
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

func newAPIServerCommand() *cobra.Command {
	return kubeapiserver.NewAPIServerCommand()
}

func newControllerManagerCommand() *cobra.Command {
	return kubecontrollermanager.NewControllerManagerCommand()
}

func newSchedulerCommand() *cobra.Command {
	return kubescheduler.NewSchedulerCommand()
}

func newKubectlCommand() *cobra.Command {
	return kubectl.NewDefaultKubectlCommand()
}
