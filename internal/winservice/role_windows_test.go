package winservice

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

// marker is the first argument of this test executable as a service. Then follow the service's name, a behaviour, and the files
// that it writes.
const marker = "vaultpane-test-service"

func TestMain(m *testing.M) {
	if len(os.Args) < 5 || os.Args[1] != marker {
		os.Exit(m.Run())
	}
	name, behaviour, journal := os.Args[2], os.Args[3], os.Args[4]
	err := Run(name, func(ctx context.Context) error { return work(ctx, behaviour, journal) })
	write(journal, "returned "+text(err))
}

// work behaves as a test asks for.
func work(ctx context.Context, behaviour, journal string) error {
	write(journal, "started "+os.Args[len(os.Args)-1])
	log := EventLog(os.Args[2])
	defer log.Close()
	log.Info(EventStarted, "Test of vaultpane")
	switch behaviour {
	case "fails":
		return errors.New("the work failed")
	case "ends":
		return nil
	}
	<-ctx.Done()
	write(journal, "asked to stop")
	switch behaviour {
	case "slow":
		<-time.After(3 * alive)
	case "fails late":
		return errors.New("the end failed")
	}
	return ctx.Err()
}

// write adds a line to the journal.
func write(journal, line string) {
	file, err := os.OpenFile(journal, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer func() { _ = file.Close() }()
	if _, err := file.WriteString(line + "\n"); err != nil {
		panic(err)
	}
}

func text(err error) string {
	if err == nil {
		return "nil"
	}
	return err.Error()
}
