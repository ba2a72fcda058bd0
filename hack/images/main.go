package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "images: FAIL", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

// maker builds into a folder.
type maker struct {
	root, out string
	release   release
	origin    origin
	only      string // platform; empty for all
	progress  func(format string, arguments ...any)
}

func run(ctx context.Context, arguments []string) error {
	var m maker
	var epoch int64
	flags := flag.NewFlagSet("images", flag.ContinueOnError)
	flags.StringVar(&m.root, "root", ".", "the repository's folder")
	flags.StringVar(&m.out, "out", "dist", "folder to build into")
	flags.StringVar(&m.release.version, "version", "dev", "version to stamp")
	flags.StringVar(&m.release.commit, "commit", "", "commit that is built, with -dirty behind it when files are changed")
	flags.Int64Var(&epoch, "epoch", 0, "time of everything in the images, in seconds of Unix: SOURCE_DATE_EPOCH")
	flags.StringVar(&m.origin.source, "source", source, "repository that has the commit, for the provenance")
	flags.StringVar(&m.origin.builder, "builder", source+"/blob/main/docs/release.md#by-hand", "URI of who builds, for the provenance")
	flags.StringVar(&m.origin.invocation, "invocation", "", "URI of this build, for the provenance")
	flags.StringVar(&m.only, "platform", "", "build for this platform only, such as linux/amd64, to try an image; such an index is never released")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	start := time.Now()
	m.release.created = time.Unix(epoch, 0)
	m.progress = func(format string, arguments ...any) {
		fmt.Printf("images: "+format+" (%.0f s)\n", append(arguments, time.Since(start).Seconds())...)
	}
	digests, err := m.make(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("images: PASS %s in %s, %.0f s\n", digests, m.out, time.Since(start).Seconds())
	return nil
}

// make builds and checks all products, and returns their digests for people.
func (m maker) make(ctx context.Context) (string, error) {
	var err error
	if m.release.licence, err = os.ReadFile(filepath.Join(m.root, "LICENSE")); err != nil {
		return "", fmt.Errorf("reading the licence: %w", err)
	}
	for _, folder := range []string{"bin", "sbom", "provenance", "images"} {
		if err := os.MkdirAll(filepath.Join(m.out, folder), 0o750); err != nil {
			return "", fmt.Errorf("making a folder: %w", err)
		}
	}
	if err := m.clean(); err != nil {
		return "", fmt.Errorf("removing what was built before: %w", err)
	}
	var summary string
	for _, p := range products {
		if m.only != "" {
			p.platforms = slices.DeleteFunc(slices.Clone(p.platforms), func(platform v1.Platform) bool { return platform.String() != m.only })
		}
		if len(p.platforms) == 0 {
			return "", fmt.Errorf("%s has no image for %s", p.name, m.only)
		}
		digest, err := m.product(ctx, p)
		if err != nil {
			return "", fmt.Errorf("making %s: %w", p.name, err)
		}
		summary += fmt.Sprintf("%s@%s ", p.name, digest.String()[:19])
	}
	return summary[:len(summary)-1], nil
}

// clean removes what an earlier run made, also of what is no product any more: everything in the folders is released.
func (m maker) clean() error {
	for _, p := range products {
		made, err := filepath.Glob(filepath.Join(m.out, "*", p.name+"*"))
		if err != nil {
			return err
		}
		for _, path := range made {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m maker) product(ctx context.Context, p product) (v1.Hash, error) {
	var images []v1.Image
	for _, platform := range p.platforms {
		m.progress("building %s for %s", p.name, platform)
		image, err := m.platform(ctx, p, platform)
		if err != nil {
			return v1.Hash{}, err
		}
		images = append(images, image)
	}
	index, err := p.index(m.release, images)
	if err != nil {
		return v1.Hash{}, err
	}
	folder := filepath.Join(m.out, "images", p.name)
	digest, err := writeLayout(folder, p.name, index)
	if err != nil {
		return v1.Hash{}, err
	}
	statement, err := m.origin.describe(m.release, p)
	if err != nil {
		return v1.Hash{}, err
	}
	if err := m.write("provenance/"+p.name+".slsa.json", statement); err != nil {
		return v1.Hash{}, err
	}
	if err := m.write("images/"+p.name+".digest", []byte(digest.String()+"\n")); err != nil {
		return v1.Hash{}, err
	}
	m.progress("checking %s", folder)
	back, err := readLayout(folder)
	if err != nil {
		return v1.Hash{}, err
	}
	return digest, p.check(m.release, back)
}

// platform builds the program, its bill of materials and its image.
func (m maker) platform(ctx context.Context, p product, platform v1.Platform) (v1.Image, error) {
	path, err := p.compile(ctx, m.root, filepath.Join(m.out, "bin"), platform, m.release.version)
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the program: %w", err)
	}
	bill, err := p.bill(m.release, platform, program)
	if err != nil {
		return nil, err
	}
	name := p.name + "-" + platform.OS + "-" + platform.Architecture
	if err := m.write("sbom/"+name+".cdx.json", bill); err != nil {
		return nil, err
	}
	return p.image(m.release, platform, program)
}

func (m maker) write(name string, content []byte) error {
	path := filepath.Join(m.out, filepath.FromSlash(name))
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
