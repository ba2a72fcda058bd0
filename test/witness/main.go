// Command witness is the program that the tests start beside the agent, and the observer of the machine's store. It finds
// certificates and keys by itself, as a web server would, without any code of the agent's: in the files of the directory store, or
// through Win32.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// limit is how long it runs at most, whatever happens to the test.
const limit = 3 * time.Minute

// exitFailed is its exit code when it does not see what it should.
const exitFailed = 90

var commands = map[string]func(arguments []string) (exitCode int, err error){
	"renewal": renewal, "stay": stay, "end-with-the-agent": stay, "end": end, "watch": watch,
	"install": install, "serve": serve, "programs": programs, "holds": holds, "add": add,
}

func main() {
	code, err := exitFailed, errors.New("usage: witness renewal|stay|end|watch|holds|add|install|serve|programs ARGUMENT")
	if len(os.Args) > 1 && commands[os.Args[1]] != nil {
		code, err = commands[os.Args[1]](os.Args[2:])
	}
	if err != nil {
		fmt.Println("witness:", err)
		code = exitFailed
	}
	os.Exit(code)
}

// end ends at once with an exit code: end CODE.
func end(arguments []string) (int, error) {
	fmt.Println("witness: started")
	return strconv.Atoi(arguments[0])
}

// stay runs until it is asked to end, and ends with exit code 7.
func stay([]string) (int, error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	fmt.Println("witness: stays")
	select {
	case received := <-signals:
		fmt.Println("witness: asked to end:", received)
		return 7, nil
	case <-time.After(watching):
		return 0, errors.New("nobody asked it to end")
	}
}

// renewal signs with a certificate that must be there when it starts, and with the one that replaces it: renewal NAME CODE.
func renewal(arguments []string) (int, error) {
	code, err := strconv.Atoi(arguments[1])
	if err != nil {
		return 0, err
	}
	first, err := use(arguments[0], "")
	if err != nil {
		return 0, fmt.Errorf("at the start: %w", err)
	}
	fmt.Println("witness: has", first)
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		second, err := use(arguments[0], first)
		if err == nil {
			fmt.Println("witness: renewed to", second)
			return code, nil
		}
		if !errors.Is(err, errMissing) {
			return 0, err
		}
	}
	return 0, errors.New("the certificate was not renewed")
}
