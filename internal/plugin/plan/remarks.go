package plan

import (
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// mostNames is how many names a text has.
const mostNames = 5

func remark(level Level, format string, arguments ...any) Remark {
	return Remark{Level: level, Text: fmt.Sprintf(format, arguments...)}
}

func (r Remark) do(remedy, command string) Remark {
	r.Remedy, r.Command = remedy, command
	return r
}

// answerRemarks say what the API server answered.
func (s *State) answerRemarks(answer Answer) []Remark {
	switch {
	case answer.Refused != nil:
		return []Remark{remark(Conflict, "the API server would refuse it: %v", answer.Refused)}
	case answer.NotAsked != nil:
		return []Remark{remark(Note, "the API server was not asked, so its admission policies were not either: %v", answer.NotAsked)}
	}
	return nil
}

// vaultRemarks say whether the agents may contact the vault.
func (s *State) vaultRemarks(wanted *Wanted) []Remark {
	if wanted.Spec.ConfigMap != nil {
		return nil // there is no vault
	}
	secret, err := keyvault.ParseURL(wanted.Spec.URL)
	if err != nil {
		return []Remark{remark(Conflict, "%v", err)}
	}
	allowed, known, err := s.AllowedVaults()
	if err != nil || !known {
		return nil // the doctor explains a wrong setting
	}
	if err := allowed.Check(secret); err != nil {
		return []Remark{remark(Conflict, "%s: %v", v1alpha1.ReasonVaultNotAllowed, err).
			do("Correct the URL. If it is a vault that you trust with tokens of the agents, allow it.",
				s.AllowVault(secret.Authority()))}
	}
	return nil
}

// nodeRemarks say what is to be known of the nodes.
func (s *State) nodeRemarks(wanted *Wanted, reach Reach) []Remark {
	if s.Nodes == nil {
		return nil
	}
	var remarks []Remark
	selected := len(reach.Gain) + len(reach.Keep)
	if selected == 0 && !wanted.Spec.Suspend {
		text := "no node would get it"
		if len(reach.Without) > 0 {
			text += fmt.Sprintf(": %s selected and should not run the agent (%s)", isAre(len(reach.Without), "node is", "nodes are"), terminal.Names(reach.Without, mostNames))
		}
		remarks = append(remarks, remark(Warning, "%s", text).do("Compare spec.nodeSelector with the labels of the nodes.", "kubectl get nodes --show-labels"))
	}
	if len(reach.Silent) > 0 {
		remarks = append(remarks, remark(Warning, "the agents of %s have not reported: %s", ofNodes(len(reach.Silent), selected), terminal.Names(reach.Silent, mostNames)).
			do("Find out why.", "kubectl vaultpane doctor"))
	}
	if len(reach.Lose) > 0 {
		remarks = append(remarks, remark(Note, "%s %s", isAre(len(reach.Lose), "node no longer selected", "nodes no longer selected"), afterwards(&wanted.Spec)))
	}
	if wanted.Spec.RequireInitialSync && len(reach.Waiting) > 0 {
		remarks = append(remarks, remark(Note, "%s the startup taint until it is installed: %s", isAre(len(reach.Waiting), "node keeps", "nodes keep"), terminal.Names(reach.Waiting, mostNames)))
	}
	return remarks
}

// afterwards says what happens to a certificate that is not asked for any more.
func afterwards(spec *v1alpha1.ObservedCertificateSpec) string {
	if spec.DeletionPolicy == v1alpha1.DeletionDelete {
		return "would remove it from the store, with its key (deletionPolicy Delete)"
	}
	return "would keep it in the store (deletionPolicy Retain)"
}

// replacedRemarks say what happens to the certificate that the name stood for.
func replacedRemarks(current *v1alpha1.ObservedCertificate, wanted *Wanted) []Remark {
	if current == nil || current.Spec.Source() == wanted.Spec.Source() && storeOf(&current.Spec) == storeOf(&wanted.Spec) {
		return nil
	}
	installed := ""
	if current.Status.Thumbprint != "" {
		installed = ", thumbprint " + current.Status.Thumbprint
	}
	what := "it names another secret or version"
	switch {
	case current.Spec.Source() == wanted.Spec.Source():
		what = "it names another store"
	case current.Spec.ConfigMap != nil || wanted.Spec.ConfigMap != nil:
		what = "it comes from elsewhere"
	}
	policy := "stays there as an older version"
	if storeOf(&current.Spec) != storeOf(&wanted.Spec) {
		policy = strings.TrimPrefix(afterwards(&wanted.Spec), "would ")
		policy = strings.NewReplacer("keep it in the store", "is kept there", "remove it from the store, with its key", "is removed").Replace(policy)
	}
	return []Remark{remark(Note, "%s: the certificate of %s in %s%s %s", what, current.Spec.Source(), storeOf(&current.Spec), installed, policy)}
}

func ofNodes(number, total int) string {
	return fmt.Sprintf("%d of %s", number, terminal.Count(total, "node"))
}

func isAre(number int, singular, plural string) string {
	if number == 1 {
		return "1 " + singular
	}
	return fmt.Sprintf("%d %s", number, plural)
}
