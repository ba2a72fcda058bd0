package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

const suspendLong = `Suspends certificates: sets spec.suspend. Until 'kubectl vaultpane resume', no node asks Key Vault for them or changes its
store for them. Installed certificates stay, and are neither renewed nor repaired; a new node does not get them.

A certificate that is suspended already is left as it is. If a chart, Flux or Argo CD applies the object, set spec.suspend
there too, since it may otherwise be set back.

Exit codes:
  0  all are suspended
  2  one could not be suspended, or the command was called wrongly`

const suspendExample = `  # leave the stores alone during a change of the vault
  kubectl vaultpane suspend web api
  kubectl vaultpane resume web api`

func newSuspend(flags *cluster.Flags, streams terminal.Streams) *cobra.Command {
	return suspension{
		suspend: true,
		done:    "suspended: no node polls it or changes its store for it; the installed certificate stays and is not renewed. 'kubectl vaultpane resume %s' ends that",
		was:     "was suspended already",
	}.command(flags, streams, &cobra.Command{
		Use: "suspend NAME...", Short: "Stop polls and changes of certificates", Long: suspendLong, Example: suspendExample,
	})
}

// suspension sets spec.suspend of certificates.
type suspension struct {
	suspend bool
	// done and was are what to say of a certificate that was changed, and of one that was so already.
	done, was string
}

func (s suspension) command(flags *cluster.Flags, streams terminal.Streams, command *cobra.Command) *cobra.Command {
	command.ValidArgsFunction = completeCertificates(flags)
	command.RunE = func(command *cobra.Command, names []string) error {
		if len(names) == 0 {
			return usageError("name at least one certificate; see '%s --help'", command.CommandPath())
		}
		client, err := flags.Client()
		if err == nil {
			err = s.apply(command.Context(), client, names, streams)
		}
		return unreadable(err)
	}
	return command
}

// apply sets spec.suspend, and says of each certificate what that means.
func (s suspension) apply(ctx context.Context, client *cluster.Client, names []string, streams terminal.Streams) error {
	certificates, err := findCertificates(ctx, client, names)
	if err != nil {
		return err
	}
	for i := range certificates {
		text, err := s.set(ctx, client, &certificates[i])
		if err != nil {
			return err
		}
		if _, err := io.WriteString(streams.Out, streams.Style().Wrap("", "  ", text)); err != nil {
			return err
		}
	}
	return nil
}

func (s suspension) set(ctx context.Context, client *cluster.Client, certificate *v1alpha1.ObservedCertificate) (string, error) {
	name := certificate.Name
	if certificate.Spec.Suspend == s.suspend {
		return name + " " + s.was + ".", nil
	}
	patch := map[string]any{"spec": map[string]any{"suspend": s.suspend}}
	if err := client.Patch(ctx, cluster.ObservedCertificates, "", name, patch); err != nil {
		return "", cluster.Explain(err, "patch", cluster.ObservedCertificates)
	}
	text := s.done
	if s.suspend {
		text = fmt.Sprintf(s.done, name)
	}
	return name + " is " + text + "." + applier(certificate), nil
}

// appliers are the marks that programs leave on the objects that they apply, and set back.
var appliers = []struct{ key, program string }{
	{"kustomize.toolkit.fluxcd.io/name", "Flux"},
	{"helm.toolkit.fluxcd.io/name", "Flux"},
	{"argocd.argoproj.io/tracking-id", "Argo CD"},
	{"argocd.argoproj.io/instance", "Argo CD"},
	{"meta.helm.sh/release-name", "a Helm release"},
}

// applier warns of a program that may set the field back.
func applier(certificate *v1alpha1.ObservedCertificate) string {
	for _, a := range appliers {
		if certificate.Labels[a.key] != "" || certificate.Annotations[a.key] != "" {
			return " It is applied by " + a.program + ": set spec.suspend there too, or it may be set back."
		}
	}
	return ""
}
