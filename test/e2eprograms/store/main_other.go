//go:build !windows

package main

import "fmt"

func main() { fmt.Println("store: this program is for Windows") }
