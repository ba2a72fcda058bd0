package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
)

// completionLimit is how long a shell waits for names. Without an answer by then there are none.
const completionLimit = 3 * time.Second

// completeCertificates completes names of certificates that are not on the command line yet.
func completeCertificates(flags *cluster.Flags) cobra.CompletionFunc {
	return func(command *cobra.Command, given []string, begin string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return candidates(namesOf(command.Context(), flags, cluster.ObservedCertificates), given, begin), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeFlag completes names of objects as the value of a flag.
func completeFlag(command *cobra.Command, flag string, flags *cluster.Flags, kind schema.GroupVersionResource) {
	registerCompletion(command, flag, func(command *cobra.Command, _ []string, begin string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return candidates(namesOf(command.Context(), flags, kind), nil, begin), cobra.ShellCompDirectiveNoFileComp
	})
}

// completeWords completes fixed values of a flag.
func completeWords(command *cobra.Command, flag string, words ...string) {
	registerCompletion(command, flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

func registerCompletion(command *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if err := command.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the flag does not exist
	}
}

// namesOf returns the names of the objects of a kind, none where the cluster does not tell them in time.
func namesOf(ctx context.Context, flags *cluster.Flags, kind schema.GroupVersionResource) []string {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionLimit)
	defer cancel()
	client, err := flags.Client()
	if err != nil {
		return nil
	}
	names, err := client.Names(ctx, kind, metav1.ListOptions{})
	if err != nil {
		return nil
	}
	return names
}

// candidates are the names that begin as typed and were not given before.
func candidates(names, given []string, begin string) []cobra.Completion {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !strings.HasPrefix(name, begin) || slices.Contains(given, name)
	})
}
