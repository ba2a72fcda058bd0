package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/windows/registry"
)

// program is a program whose certificate is a value of the registry.
type program struct {
	path, value string
	// Seen are its certificates, one after the other.
	Seen []string
	// absent was not in the store at the last look.
	absent string
}

// observed is what programs prints.
type observed struct {
	// Looks is how many times it read the registry and the store.
	Looks int
	// RemoteDesktop and SQLServer are the certificates that they were configured with, one after the other.
	RemoteDesktop, SQLServer []string
	// Problems are certificates that they were configured with and could not use.
	Problems []string
}

// programs observes which certificates Remote Desktop and an instance of SQL Server are configured with until a file exists, and
// prints what it saw: programs FILE ID.
func programs(arguments []string) (int, error) {
	seen := observed{}
	desktop := &program{path: `SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp`, value: "SSLCertificateSHA1Hash"}
	server := &program{path: `SOFTWARE\Microsoft\Microsoft SQL Server\` + arguments[1] + `\MSSQLServer\SuperSocketNetLib`, value: "Certificate"}
	fmt.Println("witness: watches")
	for deadline := time.Now().Add(watching); time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		if _, err := os.Stat(arguments[0]); err == nil {
			break
		}
		seen.Looks++
		for _, one := range []*program{desktop, server} {
			problem, err := one.look()
			if err != nil {
				return 0, err
			}
			if problem != "" && len(seen.Problems) < 20 {
				seen.Problems = append(seen.Problems, time.Now().Format(time.StampMilli)+" "+problem)
			}
		}
	}
	seen.RemoteDesktop, seen.SQLServer = desktop.Seen, server.Seen
	text, err := json.Marshal(seen)
	fmt.Println(string(text))
	return 0, err
}

// look notes the program's certificate, which must be in the store and sign. It is read before the store, so it may have been
// replaced in between, and counts when it is missing twice in a row.
func (p *program) look() (problem string, err error) {
	now, err := p.configured()
	if err != nil || now == "" {
		return "", err
	}
	if len(p.Seen) == 0 || p.Seen[len(p.Seen)-1] != now {
		p.Seen = append(p.Seen, now)
	}
	all, err := certificates(my)
	if err != nil {
		return "", err
	}
	problem = now + " of " + p.value + " is not in the store"
	for _, one := range all {
		if one.thumbprint() != now {
			continue
		}
		if err := one.works(); err != nil {
			problem = err.Error()
			break
		}
		p.absent = ""
		return "", nil
	}
	if p.absent != now {
		p.absent, problem = now, ""
	}
	return problem, nil
}

// configured returns the thumbprint of the value, "" for none.
func (p *program) configured() (string, error) {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, p.path, registry.QUERY_VALUE)
	if err != nil {
		return "", err
	}
	defer func() { _ = key.Close() }()
	text, kind, err := key.GetStringValue(p.value)
	if kind == registry.BINARY {
		var data []byte
		data, _, err = key.GetBinaryValue(p.value)
		text = fmt.Sprintf("%X", data)
	}
	if errors.Is(err, registry.ErrNotExist) {
		return "", nil
	}
	return strings.ToUpper(text), err
}
