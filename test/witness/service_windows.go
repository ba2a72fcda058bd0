package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// install installs and starts a service that is this program: install SERVICE NAME JOURNAL.
func install(arguments []string) (code int, err error) {
	executable, err := os.Executable()
	if err != nil {
		return 0, err
	}
	manager, err := mgr.Connect()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, manager.Disconnect()) }()
	service, err := manager.CreateService(arguments[0], executable, mgr.Config{}, append([]string{"serve"}, arguments...)...)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, service.Close()) }()
	return 0, service.Start()
}

// serve is a service that reads its certificate when it starts, as SQL Server does, and writes which there were into a journal.
func serve(arguments []string) (int, error) {
	return 0, svc.Run(arguments[0], server{name: arguments[1], journal: arguments[2]})
}

type server struct{ name, journal string }

// Execute implements svc.Handler.
func (s server) Execute(_ []string, requests <-chan svc.ChangeRequest, states chan<- svc.Status) (specific bool, code uint32) {
	states <- svc.Status{State: svc.StartPending}
	if err := s.read(); err != nil {
		return true, exitFailed
	}
	states <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop}
	for request := range requests {
		if request.Cmd == svc.Stop {
			states <- svc.Status{State: svc.StopPending}
			return false, 0
		}
		states <- request.CurrentStatus
	}
	return false, 0
}

// read notes the certificates of a name that work.
func (s server) read() error {
	all, err := certificates(my)
	if err != nil {
		return err
	}
	var found []string
	for _, one := range all {
		if one.Subject.CommonName == s.name && one.works() == nil {
			found = append(found, one.thumbprint())
		}
	}
	file, err := os.OpenFile(s.journal, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, "has", strings.Join(found, " "))
	return errors.Join(err, file.Close())
}
