package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"

	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
	"github.com/vaultpane/vaultpane/internal/winservice"
)

const serviceUsage = `Runs the agent as a Windows service: as LocalSystem, started automatically with the machine (delayed) and again after a failure.
Warnings are also in the Application log, under the service's name. On Linux use the systemd unit of config/systemd.

Usage:
  vaultpane-agent service install --settings PATH... [flags]   install the service, or change its flags; it is not started
  vaultpane-agent service start                                start it
  vaultpane-agent service status                               show it; 'vaultpane-agent status' shows its certificates
  vaultpane-agent service stop                                 stop it
  vaultpane-agent service uninstall                            stop and remove it; certificates, settings and state stay

Run it as an administrator. Doing something twice is no error. The executable must stay where it is. The flags of install are
those of run, and the service gets them. Variables of azidentity come from the machine's environment, as it was when Windows
started; a managed identity needs none.

Exit codes:
  0  done; of status: the service runs
  1  failed; of status: the service is installed and does not run
  2  of status: the service is not installed

Flags:
`

// serviceName is the default of --service-name.
const serviceName = "vaultpane-agent"

// addServiceTo adds the flag that tells this process that it is a service. It is not for people.
func (o *options) addServiceTo(flags *pflag.FlagSet) {
	flags.StringVar(&o.service, "as-service", "", "the name of the Windows service that this process is")
	_ = flags.MarkHidden("as-service") // it exists
}

// serviceOptions are the options of service.
type serviceOptions struct {
	options
	name  string
	flags *pflag.FlagSet
}

func (s *serviceOptions) command(action string) cli.Command {
	name := func(flags *pflag.FlagSet) {
		flags.StringVar(&s.name, "service-name", serviceName, "name of the service")
		s.flags = flags
	}
	if action != "install" {
		return cli.Command{Name: "vaultpane-agent service " + action, Usage: serviceUsage, Add: name}
	}
	s.hostLog.Folder = machineLogFolder()
	return s.machineCommand("service install", serviceUsage, os.LookupEnv, name)
}

// runService installs, controls or shows the service.
func runService(arguments []string, stdout, stderr io.Writer) error {
	action := ""
	if len(arguments) > 0 {
		action, arguments = arguments[0], arguments[1:]
	}
	var s serviceOptions
	command := s.command(action)
	var err error
	if action == "install" {
		err = s.parseMachine(command, arguments, os.LookupEnv, stdout)
	} else if strings.HasPrefix(action, "-") || action == "help" {
		_, err = command.Read([]string{"--help"}, os.LookupEnv, stdout)
	} else {
		_, err = command.Read(arguments, os.LookupEnv, stdout)
	}
	if err != nil {
		return err
	}
	done, err := s.do(context.Background(), action, stdout)
	if done != "" {
		_, _ = fmt.Fprintln(stdout, done)
	}
	return err
}

func (s *serviceOptions) do(ctx context.Context, action string, progress io.Writer) (done string, err error) {
	switch action {
	case "install":
		return s.install()
	case "uninstall":
		return winservice.Uninstall(ctx, s.name, progress)
	case "start":
		return winservice.Start(ctx, s.name, progress)
	case "stop":
		return winservice.Stop(ctx, s.name, progress)
	case "status":
		status, err := winservice.Query(s.name)
		switch {
		case err != nil:
			return "", err
		case !status.Installed:
			return status.String(), cli.ExitStatus(exitNoAgent)
		case status.PID == 0:
			return status.String(), cli.ExitStatus(exitNotWell)
		}
		return status.String(), nil
	}
	return "", fmt.Errorf("service %q is not a command: use install, uninstall, start, stop or status; vaultpane-agent service --help explains them", action)
}

func (s *serviceOptions) install() (string, error) {
	if _, err := cli.Unread(new(options).runCommand().Variables(), os.Environ()); err != nil {
		return "", err // it would end the service at each start
	}
	executable, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program: %w", err)
	}
	return winservice.Install(winservice.Config{
		Name: s.name, DisplayName: "Vaultpane agent", Executable: executable, Arguments: s.arguments(),
		Description: "Keeps certificates of Azure Key Vault up to date in the certificate stores of this machine.",
	})
}

// arguments returns those of the service: run with the flags that were given, or that an environment variable gave. Paths of
// settings are absolute.
func (s *serviceOptions) arguments() []string {
	arguments := []string{"run", "--as-service=" + s.name}
	for _, path := range s.Settings {
		arguments = append(arguments, "--settings="+path)
	}
	s.flags.Visit(func(flag *pflag.Flag) {
		if flag.Name == "settings" || flag.Name == "service-name" {
			return
		}
		if list, isList := flag.Value.(pflag.SliceValue); isList {
			arguments = append(arguments, "--"+flag.Name+"="+strings.Join(list.GetSlice(), ","))
			return
		}
		value := flag.Value.String()
		if flag.Value.Type() == "stringToString" {
			value = strings.Trim(value, "[]")
		}
		if slices.Contains([]string{"ca-bundle", "state", "store-path"}, flag.Name) {
			if absolute, err := filepath.Abs(value); err == nil { // a service has another working folder
				value = absolute
			}
		}
		arguments = append(arguments, "--"+flag.Name+"="+value)
	})
	slices.Sort(arguments[2+len(s.Settings):])
	return arguments
}

// keepAsService keeps the machine's certificates under Windows' service control manager, which stops it. Signals are not listened to:
// a service gets one when any user logs off.
func (o *options) keepAsService(_ context.Context, log logr.Logger) error {
	events := winservice.EventLog(o.service)
	defer events.Close()
	return winservice.Run(o.service, func(ctx context.Context) error {
		events.Info(winservice.EventStarted, "The agent has started, version "+o.Version+".")
		m, err := newMachine(*o, log, warningEvents(events))
		if err == nil {
			err = m.run(ctx)
		}
		if err != nil {
			events.Error(winservice.EventFailed, "The agent has ended: "+err.Error())
			return err
		}
		events.Info(winservice.EventStopped, "The agent has stopped.")
		return nil
	})
}

// warningEvents returns what writes warnings as events.
func warningEvents(events *winservice.Log) warner {
	return func(certificate string, warning failure.Failure) {
		if certificate == "" {
			events.Warning(winservice.EventSettings, warning.Message)
			return
		}
		events.Warning(winservice.EventCertificate, fmt.Sprintf("%s: %s: %s", certificate, warning.Reason, warning.Message))
	}
}

// failService records in the event log why a service could not even begin.
func (o *options) failService(err error) {
	if o.service == "" {
		return
	}
	events := winservice.EventLog(o.service)
	defer events.Close()
	events.Error(winservice.EventFailed, "The agent cannot start: "+err.Error())
}
