package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"
)

// watching is how long a watch lasts at most.
const watching = 15 * time.Minute

// report is what a watch has seen.
type report struct {
	// Looks is how many times it read the store.
	Looks int `json:"looks"`
	// Renewals is how many certificates it saw replace another.
	Renewals int `json:"renewals"`
	// Problems are the certificates without their key, and the names without a certificate.
	Problems []string `json:"problems"`
}

// watcher reads the store again and again.
type watcher struct {
	report
	seen    map[string]bool   // thumbprints
	names   []string          // whose certificates must never be missing
	keyless map[string]string // thumbprint to what was wrong at the last look
	missing map[string]bool   // at the last look
}

// watch reads the store until a file exists, and prints a report: watch FILE NAME... Every name has a certificate when it begins.
func watch(arguments []string) (int, error) {
	w := &watcher{names: arguments[1:], seen: map[string]bool{}}
	fmt.Println("witness: watches")
	for deadline := time.Now().Add(watching); time.Now().Before(deadline); <-time.After(2 * time.Millisecond) {
		if _, err := os.Stat(arguments[0]); err == nil {
			break
		}
		all, err := certificates()
		if err != nil {
			return 0, err
		}
		w.look(all, time.Now())
	}
	text, err := json.Marshal(w.report)
	fmt.Println(string(text))
	return 0, err
}

// look judges one reading. The store can change in the middle of it, so what is wrong counts when it is wrong twice in a row.
func (w *watcher) look(all []certificate, now time.Time) {
	w.Looks++
	served, keyless := map[string]bool{}, map[string]string{}
	for _, one := range all {
		name, thumbprint := one.Subject.CommonName, one.thumbprint()
		if !slices.Contains(w.names, name) {
			continue
		}
		if !w.seen[thumbprint] {
			w.seen[thumbprint] = true
			w.Renewals++
		}
		if err := one.works(); err != nil {
			keyless[thumbprint] = err.Error()
			if w.keyless[thumbprint] != "" {
				w.problem("%s of %s does not work: %v", thumbprint, name, err)
			}
			continue
		}
		served[name] = served[name] || one.valid(now)
	}
	missing := map[string]bool{}
	for _, name := range w.names {
		if !served[name] {
			missing[name] = true
			if w.missing[name] {
				w.problem("%s has no valid certificate", name)
			}
		}
	}
	w.keyless, w.missing = keyless, missing
}

func (w *watcher) problem(format string, arguments ...any) {
	if len(w.Problems) < 20 {
		w.Problems = append(w.Problems, time.Now().Format(time.StampMilli)+" "+fmt.Sprintf(format, arguments...))
	}
}
