//go:build linux

// Command cmd says whether this machine can run a node of package linuxnode: its last line is "ready", or why not. With the argument
// clean it removes what a node left whose process was killed.
package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/vaultpane/vaultpane/test/linuxnode"
)

func main() {
	if slices.Contains(os.Args[1:], "clean") {
		if err := linuxnode.RemoveAbandoned(); err != nil {
			fmt.Fprintln(os.Stderr, "linuxnode: FAIL", err)
			os.Exit(1)
		}
		return
	}
	if err := linuxnode.Missing(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("ready")
}
