package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/settings/nearest"
)

// Exit codes of the commands that read a cluster.
const (
	exitNotWell    = 1 // it was read, and something is not as it should be
	exitUnreadable = 2 // the command was called wrongly, or the cluster does not answer it
)

// unreadable is the error of a command that has nothing to show.
func unreadable(err error) error {
	if err == nil {
		return nil
	}
	return &cli.Failure{Code: exitUnreadable, Err: err}
}

// findCertificates reads the named certificates, or all of them without names. A name that does not exist is an error with the
// nearest one.
func findCertificates(ctx context.Context, client *cluster.Client, names []string) ([]v1alpha1.ObservedCertificate, error) {
	var found []v1alpha1.ObservedCertificate
	if len(names) == 0 {
		err := cluster.List(ctx, client, cluster.ObservedCertificates, "", metav1.ListOptions{}, func(c *v1alpha1.ObservedCertificate) error {
			found = append(found, *c)
			return nil
		})
		return found, cluster.Explain(err, "list", cluster.ObservedCertificates)
	}
	for _, name := range names {
		if err := requireName(name); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(found, func(c v1alpha1.ObservedCertificate) bool { return c.Name == name }) {
			continue
		}
		var certificate v1alpha1.ObservedCertificate
		if err := client.Get(ctx, cluster.ObservedCertificates, "", name, &certificate); err != nil {
			return nil, notFound(ctx, client, cluster.ObservedCertificates, name, err)
		}
		found = append(found, certificate)
	}
	return found, nil
}

// notFound explains the error of reading an object by name. If there is none, it names the nearest one.
func notFound(ctx context.Context, client *cluster.Client, kind schema.GroupVersionResource, name string, err error) error {
	if !apierrors.IsNotFound(err) || cluster.IsMissing(err) {
		return cluster.Explain(err, "get", kind)
	}
	known, err := client.Names(ctx, kind, metav1.ListOptions{})
	if err != nil { // without the right to list there is no advice
		return fmt.Errorf("there is no %s %q", nounOf(kind), name)
	}
	return unknownName(nounOf(kind), name, known)
}

// unknownName is the error of a name that is none of those that exist, with the nearest one.
func unknownName(noun, name string, known []string) error {
	switch best := nearest.Name(name, known); {
	case len(known) == 0:
		return fmt.Errorf("there is no %s %q, and no other", noun, name)
	case best != "":
		return fmt.Errorf("there is no %s %q; did you mean %q?", noun, name, best)
	}
	return fmt.Errorf("there is no %s %q; there are: %s", noun, name, listed(known))
}

// requireName is an error unless a text may be the name of an object. An empty one, such as a variable of a script that is not set, or
// one with a slash would request another path of the API server.
func requireName(name string) error {
	if name == "" || len(content.IsPathSegmentName(name)) > 0 {
		return usageError("%q is not the name of an object", name)
	}
	return nil
}

// nounOf names a kind in a sentence.
func nounOf(kind schema.GroupVersionResource) string {
	if kind == cluster.ObservedCertificates {
		return "ObservedCertificate"
	}
	return "node"
}

// structured prints a view as JSON or YAML.
func structured(output string, view any) (string, error) {
	if output == "yaml" {
		text, err := yaml.Marshal(view)
		return string(text), err
	}
	text, err := json.MarshalIndent(view, "", "  ")
	return string(text) + "\n", err
}

// requireOutput is an error where -o has another value than those that follow.
func requireOutput(output string, allowed ...string) error {
	if output == "" || slices.Contains(allowed, output) {
		return nil
	}
	return usageError("--output is %q, must be %s", output, oneOf(allowed))
}
