package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const account = "/var/run/secrets/kubernetes.io/serviceaccount/"

// kubernetes is the API server as a pod reaches it, with the pod's own rights.
type kubernetes struct {
	client http.Client
	token  string
}

type object struct {
	Metadata struct {
		Name      string            `json:"name"`
		Namespace string            `json:"namespace"`
		UID       string            `json:"uid"`
		Labels    map[string]string `json:"labels"`
	} `json:"metadata"`
}

func inCluster() (*kubernetes, error) {
	token, err := os.ReadFile(account + "token")
	if err != nil {
		return nil, errors.New("the pod has no token for the API server")
	}
	authority, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	client := http.Client{Transport: transport, Timeout: 10 * time.Second}
	return &kubernetes{client, strings.TrimSpace(string(token))}, nil
}

// list is everything of a kind in the cluster that both selectors allow.
func (k *kubernetes) list(plural, fields, labels string) ([]object, error) {
	query := url.Values{"fieldSelector": {fields}, "labelSelector": {labels}}
	address := "https://kubernetes.default.svc/api/v1/" + plural + "?" + query.Encode()
	asked, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	asked.Header.Set("Authorization", "Bearer "+k.token)
	answer, err := k.client.Do(asked)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("to list %s was answered by %d", plural, answer.StatusCode)
	}
	var found struct{ Items []object }
	return found.Items, json.NewDecoder(answer.Body).Decode(&found)
}
