package controlplane

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// goCommand runs the go command in dir and returns what it printed. mod is the value of -mod. The caller's workspace,
// flags and target platform do not count: what is built here runs here.
func goCommand(ctx context.Context, dir, mod string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		// not empty: an empty variable would let the file of `go env -w` decide
		"GOFLAGS=-mod="+mod, "GOWORK=off", "GO111MODULE=on",
		"GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "CGO_ENABLED=0")
	cmd.WaitDelay = 5 * time.Second // the compilers of a killed go command hold its pipes
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // says more than "signal: killed"
	}
	if err != nil {
		// the last line of what it said, or all of it if that is JSON
		said := lastLine(stderr.String())
		if said == "" {
			said = strings.Join(strings.Fields(stdout.String()), " ")
		}
		return nil, fmt.Errorf("go %s: %w: %s", args[0], err, said)
	}
	return stdout.Bytes(), nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
