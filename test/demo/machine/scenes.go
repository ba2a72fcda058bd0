package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/test/demo/scene"
	"github.com/vaultpane/vaultpane/test/keyvault"
)

func (s *stage) startKeyVault(context.Context) error {
	var err error
	s.vaults, err = keyvault.Start(keyvault.Options{Dir: filepath.Join(s.dir, "keyvault"), Vaults: []string{"shop"}})
	if err != nil {
		return err
	}
	made, err := s.vaults.Vault("shop").Put("web", keyvault.CertificateOptions{
		Names: []string{"web.example.com"}, KeyType: keyvault.RSA2048, ContentType: keyvault.PFX, WithChain: true,
	})
	if err != nil {
		return err
	}
	scene.Say("%s  RSA 2048, PFX, with its intermediate and root", made.Thumbprint)
	return nil
}

func (s *stage) startAgent(ctx context.Context) error {
	if err := s.write(s.settings()); err != nil {
		return err
	}
	scene.Quote("$ cat " + filepath.Base(s.file()) + "\n" + s.settings())
	scene.Quote("$ vaultpane-agent run --settings " + filepath.Base(s.file()) + " &")
	started := time.Now()
	var err error
	if s.agent, err = s.machine.Start(s.log(), s.environment(), "run", "--settings", s.machine.Path(s.file())); err != nil {
		return err
	}
	thumbprint := s.thumbprint()
	if err := s.untilHeld(ctx, thumbprint); err != nil {
		return err
	}
	scene.Say("in the certificate store %.1f s after the start", time.Since(started).Seconds())
	table, err := s.machine.Table(ctx)
	if err != nil {
		return err
	}
	scene.Quote("$ vaultpane-agent store list\n" + table)
	return s.untilStatusHas(ctx, thumbprint)
}

func (s *stage) rotate(ctx context.Context) error {
	made, err := s.vaults.Vault("shop").Rotate("web")
	if err != nil {
		return err
	}
	scene.Say("in the vault now: %s", made.Thumbprint)
	output, err := s.command(ctx, "poll")
	if err != nil {
		return err
	}
	scene.Quote("$ vaultpane-agent poll\n" + output)
	if !strings.Contains(output, made.Thumbprint) {
		return errors.New("the poll has another result")
	}
	scene.Say("the old one stays in the store, as with the extension, until revisionHistoryLimit says otherwise")
	return s.untilHeld(ctx, made.Thumbprint)
}

func (s *stage) repair(ctx context.Context) error {
	thumbprint := s.thumbprint()
	if err := s.machine.Forget(ctx, thumbprint); err != nil {
		return err
	}
	scene.Say("deleted %s", thumbprint)
	deleted := time.Now()
	if err := s.untilHeld(ctx, thumbprint); err != nil {
		return err
	}
	scene.Say("it is back with its key after %.1f s (the store is checked every second here, every minute by default)", time.Since(deleted).Seconds())
	return nil
}

// makeMistake writes the URL of the certificate in place of that of its secret, as many people do.
func (s *stage) makeMistake(ctx context.Context) error {
	if err := s.write(strings.Replace(s.settings(), "/secrets/", "/certificates/", 1)); err != nil {
		return err
	}
	if err := s.untilStatusHas(ctx, filepath.Base(s.file())+":"); err != nil {
		return err
	}
	scene.Say("what was in use before stays in use")
	return s.untilHeld(ctx, s.thumbprint())
}

func (s *stage) thumbprint() string { return s.vaults.Vault("shop").Thumbprint("web") }

// untilHeld waits until the store has a certificate with its key.
func (s *stage) untilHeld(ctx context.Context, thumbprint string) error {
	return scene.Until(ctx, "the certificate in the store", func() (bool, error) {
		if !s.agent.Running() {
			return false, errors.New("the agent has ended")
		}
		certificates, err := s.machine.List(ctx)
		for _, one := range certificates {
			if one.Thumbprint == thumbprint && one.Key == "Present" {
				return true, err
			}
		}
		return false, err
	})
}

// untilStatusHas waits until the status has a text, and prints it.
func (s *stage) untilStatusHas(ctx context.Context, text string) error {
	output := ""
	err := scene.Until(ctx, "the status to have "+text, func() (bool, error) {
		var err error
		output, err = s.command(ctx, "status")
		return strings.Contains(output, text), ignoreExit(err)
	})
	if err == nil {
		scene.Quote("$ vaultpane-agent status\n" + output)
	}
	return err
}
