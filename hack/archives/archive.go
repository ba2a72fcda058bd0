package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// archive is the archive of one platform.
type archive struct {
	OS, Arch string
	// SHA256 is its checksum, in hexadecimal digits.
	SHA256 string
}

func (a archive) name() string {
	if a.OS == "windows" {
		return "kubectl-vaultpane-" + a.OS + "-" + a.Arch + ".zip"
	}
	return "kubectl-vaultpane-" + a.OS + "-" + a.Arch + ".tar.gz"
}

func (a archive) program() string {
	if a.OS == "windows" {
		return "kubectl-vaultpane.exe"
	}
	return "kubectl-vaultpane"
}

// build compiles the plugin for a platform.
func build(ctx context.Context, o options, goos, goarch string) ([]byte, error) {
	folder, err := os.MkdirTemp("", "vaultpane-archives-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	out := filepath.Join(folder, "program")
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+o.version, "-o", out, "./cmd/kubectl-vaultpane")
	command.Dir, command.Stderr = o.root, os.Stderr
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch, "GOFLAGS=-mod=readonly", "GOAMD64=v1", "GOARM64=v8.0")
	if err := command.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

// pack puts program and licence into an archive, as tar files or a zip file, in which only the given time and no user is written.
func (a archive) pack(program, licence []byte, at time.Time) ([]byte, error) {
	files := []file{{"LICENSE", licence, 0o644}, {a.program(), program, 0o755}}
	if a.OS == "windows" {
		return zipped(files, at)
	}
	return tarred(files, at)
}

type file struct {
	name    string
	content []byte
	mode    os.FileMode
}

func tarred(files []file, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	writer := tar.NewWriter(compressed)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Mode: int64(f.mode), Size: int64(len(f.content)), ModTime: at, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	if err := compressed.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func zipped(files []file, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	writer := zip.NewWriter(&out)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at}
		header.SetMode(f.mode)
		entry, err := writer.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := entry.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
