// Command archives builds the archives of kubectl-vaultpane for a release, their checksums, and the manifest for Krew, kubectl's
// plugin manager.
//
//	archives -version v1.2.3 -epoch SECONDS -out dist/archives [-platforms linux/amd64,windows/arm64] -base URL
//
// The same sources, version, time and Go give the same bytes on any machine.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// all are the platforms of a release.
const all = "darwin/amd64,darwin/arm64,linux/amd64,linux/arm64,windows/amd64,windows/arm64"

// options are the flags.
type options struct {
	version, out, root, base, platforms string
	epoch                               int64
}

func main() {
	var o options
	flag.StringVar(&o.version, "version", "", "the version, such as v1.2.3")
	flag.StringVar(&o.out, "out", "dist/archives", "the folder of the archives; it is written anew")
	flag.StringVar(&o.root, "root", ".", "the folder of the sources")
	flag.StringVar(&o.base, "base", "https://github.com/vaultpane/vaultpane/releases/download", "where releases are downloaded from")
	flag.StringVar(&o.platforms, "platforms", all, "the platforms, as os/arch between commas")
	flag.Int64Var(&o.epoch, "epoch", 0, "the time of all files, in seconds since 1970")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "release-archives: FAIL", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.version == "" {
		return errors.New("-version is missing")
	}
	if err := os.RemoveAll(o.out); err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o750); err != nil {
		return err
	}
	licence, err := os.ReadFile(filepath.Join(o.root, "LICENSE"))
	if err != nil {
		return err
	}
	var made []archive
	for _, platform := range strings.Split(o.platforms, ",") {
		goos, goarch, _ := strings.Cut(platform, "/")
		program, err := build(ctx, o, goos, goarch)
		if err != nil {
			return fmt.Errorf("building for %s: %w", platform, err)
		}
		one := archive{OS: goos, Arch: goarch}
		content, err := one.pack(program, licence, time.Unix(o.epoch, 0).UTC())
		if err != nil {
			return fmt.Errorf("packing for %s: %w", platform, err)
		}
		sum := sha256.Sum256(content)
		one.SHA256 = hex.EncodeToString(sum[:])
		if err := os.WriteFile(filepath.Join(o.out, one.name()), content, 0o600); err != nil {
			return err
		}
		fmt.Printf("release-archives: %s (%.1f MB, program %.1f MB)\n", one.name(), float64(len(content))/1e6, float64(len(program))/1e6)
		made = append(made, one)
	}
	if err := writeSums(o, made); err != nil {
		return err
	}
	manifest, err := krew(o.version, o.base, made)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(o.out, "vaultpane.yaml"), manifest, 0o600); err != nil {
		return err
	}
	fmt.Printf("release-archives: PASS %d archives, SHA256SUMS and the Krew manifest vaultpane.yaml in %s\n", len(made), o.out)
	return nil
}

func writeSums(o options, made []archive) error {
	var lines []string
	for _, one := range made {
		lines = append(lines, one.SHA256+"  "+one.name())
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[64:], b[64:]) })
	return os.WriteFile(filepath.Join(o.out, "SHA256SUMS"), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}
