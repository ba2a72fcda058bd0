package services

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/hklm"
)

// Resume starts every service whose restart was interrupted between its stop and its start, and removes intents that were fulfilled.
// One that is being restarted at the moment is left alone. It takes as long as Restart.Run for each.
func Resume(ctx context.Context) error {
	key, ok, err := hklm.Open(recordsPath, registry.ENUMERATE_SUB_KEYS)
	if err != nil || !ok {
		return err
	}
	defer hklm.Close(key)
	// https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regenumkeyexw
	names, err := key.ReadSubKeyNames(-1)
	if err != nil {
		return fmt.Errorf(`listing HKLM\%s: %w`, recordsPath, err)
	}
	var failed []error
	for _, name := range names {
		failed = append(failed, resume(ctx, name))
	}
	return errors.Join(failed...)
}

func resume(ctx context.Context, name string) error {
	lock := lockOf(name)
	if !lock.TryLock() {
		return nil
	}
	defer lock.Unlock()
	kept, err := readRecord(name, "")
	if err != nil || kept.stopping == nil {
		return err
	}
	service, err := open(name, rights)
	if err != nil {
		return err
	}
	if service == nil {
		return clearIntent(name) // it was removed
	}
	defer closeService(service)
	status, err := settled(ctx, service)
	if err != nil {
		return err
	}
	if status.State != svc.Stopped && status.State != svc.StopPending {
		return clearIntent(name)
	}
	if err := cycle(ctx, service); err != nil {
		return err
	}
	return writeDone(name, time.Now(), whose(*kept.stopping)...)
}
