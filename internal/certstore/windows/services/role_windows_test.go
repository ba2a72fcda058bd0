package services

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/internal/winservice"
)

// marker is the first argument of this test executable as a service. Then follow the service's name, a behaviour and a journal.
const marker = "vaultpane-test-service"

// asAgent names the service that this test executable restarts, in place of an agent that a test kills.
const asAgent = "VAULTPANE_TEST_RESTART"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(asAgent) != "":
		restart := Restart{Service: os.Getenv(asAgent), Owner: "web", Thumbprint: second}
		if state, err := Read(restart.Service, restart.Owner); err == nil {
			restart.Seen = state.RestartedAt
		}
		if err := restart.Run(context.Background()); err != nil {
			panic(err)
		}
	case len(os.Args) == 5 && os.Args[1] == marker:
		if text, err := os.ReadFile(os.Args[4]); err != nil || os.Args[3] == "starts once" && strings.Contains(string(text), "started") {
			os.Exit(1) // the service manager has not seen it run
		}
		_ = winservice.Run(os.Args[2], func(ctx context.Context) error { return work(ctx, os.Args[3], os.Args[4]) })
	default:
		os.Exit(m.Run())
	}
}

// work behaves as a test asks for.
func work(ctx context.Context, behaviour, journal string) error {
	note(journal, "started")
	<-ctx.Done()
	note(journal, "stopping")
	if behaviour == "stops slowly" {
		<-time.After(3 * time.Second)
	}
	note(journal, "stopped")
	return nil
}

// note adds a line to the journal.
func note(journal, line string) {
	file, err := os.OpenFile(journal, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer func() { _ = file.Close() }()
	if _, err := file.WriteString(line + "\n"); err != nil {
		panic(err)
	}
}
