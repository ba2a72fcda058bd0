package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/convert"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// convertOptions are the flags of convert.
type convertOptions struct {
	format, prefix, selector string
	latest, check            bool
}

func newConvert(flags *cluster.Flags, streams terminal.Streams) *cobra.Command {
	var options convertOptions
	command := &cobra.Command{
		Use:   "convert [FILE...|-]",
		Short: "Convert settings of the Key Vault VM extension into ObservedCertificates",
		Long: `Converts what you have of the Key Vault VM extension's settings into ObservedCertificates.

A file is JSON or YAML that has the settings somewhere: an output of az, Azure PowerShell or Resource Graph; what
'terraform show -json' prints of a plan or a state; an ARM template with its parameters and linked templates, in any order, or
what 'az bicep build' made; the node's own RuntimeSettings\*.settings; or the settings alone. - or no file is the standard input.
Certificates of osProfile.secrets are converted too.

The objects go to the standard output, a report to the standard error: what was put right, what needs a hand because it cannot
be known, which machines had what, and which roles and hosts are needed. Protected settings are never read.

With --check, nothing is written; instead, the cluster is asked whether every certificate of each machine is on every node, so
that the extension may be removed there.

Exit codes:
  0  all is converted; with --check, the extension may be removed from all machines
  1  something needs a hand; with --check, some machine needs the extension
  2  a file cannot be read, nothing in it is known, or the command was called wrongly`,
		Example: `  # the scale sets of a cluster
  az vmss list --resource-group MC_group -o json > vmss.json
  kubectl vaultpane convert vmss.json > certificates.yaml
  # a template with its parameters
  kubectl vaultpane convert web.json web.parameters.json | kubectl apply -f -
  # a Terraform plan, as values of the Helm chart
  terraform show -json plan | kubectl vaultpane convert -o helm-values > values.yaml
  # may the extension be removed?
  kubectl vaultpane convert --check vmss.json`,
		RunE: func(command *cobra.Command, files []string) error {
			return runConvert(command, flags, streams, options, files)
		},
	}
	set := command.Flags()
	set.StringVarP(&options.format, "output", "o", convert.FormatYAML, "the form of the output: "+strings.Join(convert.Formats, ", "))
	set.StringVar(&options.prefix, "prefix", "", "put this in front of the objects' names")
	set.StringVar(&options.selector, "node-selector", "", "a label selector for all objects instead of the derived one, such as pool=web")
	set.BoolVar(&options.latest, "latest", false, "remove versions from URLs, so that renewals are followed")
	set.BoolVar(&options.check, "check", false, "say on which machines the extension may be removed, by what the cluster has")
	_ = command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(convert.Formats, cobra.ShellCompDirectiveNoFileComp)) // it exists
	return command
}

func runConvert(command *cobra.Command, flags *cluster.Flags, streams terminal.Streams, options convertOptions, files []string) error {
	settings, err := options.read()
	if err != nil {
		return usageError("%w", err)
	}
	inputs, err := readInputs(streams.In, files)
	if err != nil {
		return &cli.Failure{Code: convert.ExitUnreadable, Err: err}
	}
	converter, err := convert.New()
	if err != nil {
		return err
	}
	result := converter.Convert(inputs, settings)
	if options.check {
		return runCheck(command.Context(), flags, streams, result)
	}
	out, err := convert.Write(result.Certificates, options.format)
	if err != nil {
		return err
	}
	if _, err := streams.Out.Write(out); err != nil {
		return err
	}
	if err := report(streams, result); err != nil {
		return err
	}
	if code := result.ExitCode(); code != 0 {
		return cli.ExitStatus(code)
	}
	return nil
}

// report writes the report, its lines wrapped to a terminal. Commands, which people copy, stay whole.
func report(streams terminal.Streams, result convert.Result) error {
	var text strings.Builder
	if err := result.Report(&text); err != nil {
		return err
	}
	style := terminal.Style{Width: streams.ErrWidth}
	for line := range strings.Lines(text.String()) {
		rest := strings.TrimLeft(line, " -")
		first := line[:len(line)-len(rest)]
		if indent := strings.Repeat(" ", len(first)); first != "" && style.Width > 0 && !strings.HasPrefix(rest, "az ") {
			line = strings.TrimRight(style.Wrap(first, indent, strings.TrimSpace(rest)), "\n") + "\n"
		}
		if _, err := io.WriteString(streams.Err, line); err != nil {
			return err
		}
	}
	return nil
}

// longestPrefix leaves room for names, which have up to 253 characters with it.
const longestPrefix = 63

func (o convertOptions) read() (convert.Options, error) {
	options := convert.Options{Latest: o.latest, Prefix: o.prefix}
	if !slices.Contains(convert.Formats, o.format) {
		return options, fmt.Errorf("--output is %q, must be one of %s", o.format, strings.Join(convert.Formats, ", "))
	}
	if wrong := validation.IsDNS1123Subdomain(o.prefix + "x"); len(wrong) > 0 || len(o.prefix) > longestPrefix {
		return options, fmt.Errorf("--prefix is %q, must be up to %d lower-case letters, digits, hyphens and full stops, as in web-", o.prefix, longestPrefix)
	}
	if o.selector != "" {
		parsed, err := metav1.ParseToLabelSelector(o.selector)
		if err != nil {
			return options, fmt.Errorf("--node-selector is %q, must be a label selector such as kubernetes.azure.com/agentpool=web: %w", o.selector, err)
		}
		options.NodeSelector = nodeSelector(parsed)
	}
	return options, nil
}

func nodeSelector(parsed *metav1.LabelSelector) *v1alpha1.NodeSelector {
	selector := &v1alpha1.NodeSelector{}
	for key, value := range parsed.MatchLabels {
		if selector.MatchLabels == nil {
			selector.MatchLabels = map[string]v1alpha1.LabelValue{}
		}
		selector.MatchLabels[key] = v1alpha1.LabelValue(value)
	}
	for _, requirement := range parsed.MatchExpressions {
		converted := v1alpha1.NodeSelectorRequirement{Key: requirement.Key, Operator: requirement.Operator}
		for _, value := range requirement.Values {
			converted.Values = append(converted.Values, v1alpha1.LabelValue(value))
		}
		selector.MatchExpressions = append(selector.MatchExpressions, converted)
	}
	return selector
}

// largest is how much of a file is read, in bytes. The listing of a large subscription has some ten.
const largest = 256 << 20

func readInputs(stdin io.Reader, files []string) ([]convert.Input, error) {
	if len(files) == 0 {
		files = []string{"-"}
	}
	var inputs []convert.Input
	for _, name := range files {
		input := convert.Input{Name: name}
		var err error
		if name == "-" {
			input.Name = "stdin"
			input.Content, err = readAll(stdin)
		} else {
			input.Content, err = readInput(name)
		}
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, input)
	}
	return inputs, nil
}

func readInput(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return readAll(file)
}

func readAll(from io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(from, largest+1))
	if err == nil && len(content) > largest {
		err = errors.New("the input is larger than 256 MiB; give the part with the extension's settings")
	}
	return content, err
}
