// Package scene is what the acts of the demo share: how a scene is played, told and waited for.
package scene

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Scene is a part of an act.
type Scene struct {
	// Title says what happens.
	Title string
	// Play has it happen, and says what was seen.
	Play func(context.Context) error
}

// Act plays an act as a program: it runs until it ends or is interrupted, and prints one line with the result. It returns the exit
// code. run must have ended everything that it started when it returns.
func Act(name string, run func(context.Context) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	start := time.Now()
	err := run(ctx)
	stopped := ctx.Err() != nil // before stop, which ends the context too
	stop()
	switch {
	case err != nil && stopped:
		fmt.Printf("%s: STOPPED, everything it started is gone\n", name)
		return 130
	case err != nil:
		fmt.Printf("%s: FAIL %v\n", name, err)
		return 1
	}
	fmt.Printf("%s: PASS in %.0f s\n", name, time.Since(start).Seconds())
	return 0
}

// Play plays scenes in their order, each with its number and how long it took. When one fails, log is printed: the agent's log.
func Play(ctx context.Context, scenes []Scene, log string) error {
	for i, one := range scenes {
		fmt.Printf("\n%d. %s\n", i+1, one.Title)
		start := time.Now()
		if err := one.Play(ctx); err != nil {
			if text, readErr := os.ReadFile(log); readErr == nil && ctx.Err() == nil {
				fmt.Printf("--- the agent's log ---\n%s", text)
			}
			return fmt.Errorf("in step %d: %w", i+1, err)
		}
		fmt.Printf("   (%.1f s)\n", time.Since(start).Seconds())
	}
	return nil
}

// Say prints a line of a scene.
func Say(format string, arguments ...any) { fmt.Printf("   "+format+"\n", arguments...) }

// Quote prints another program's output, set in.
func Quote(output string) {
	for line := range strings.Lines(strings.TrimRight(output, "\n")) {
		fmt.Print("     " + strings.TrimRight(line, "\n") + "\n")
	}
}

// Until waits until a condition holds, at most a minute.
func Until(ctx context.Context, what string, holds func() (bool, error)) error {
	deadline := time.After(time.Minute)
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := holds()
		if err != nil || ok {
			return err
		}
		select {
		case <-ticker.C:
		case <-deadline:
			return errors.New("timed out after a minute waiting for " + what)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
