package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// watching is how long a watch lasts at most: longer than the runs, which end it.
const watching = time.Hour

// watched are the stores that a watch reads: a certificate may move from one to another.
var watched = []string{my, "WebHosting"}

// report is what a watch has seen.
type report struct {
	// Looks is how many times it read the stores.
	Looks int `json:"looks"`
	// Renewals is how many certificates it saw replace another.
	Renewals int `json:"renewals"`
	// Problems are the certificates without their key, the names without a certificate, and those of others that changed.
	Problems []string `json:"problems"`
}

// watcher reads the stores again and again.
type watcher struct {
	report
	seen   map[string]bool // thumbprints
	names  []string        // whose certificates must never be missing
	others map[string]bool // thumbprints of certificates that must stay as they are
	before map[string]int  // what is wrong, and at how many looks in a row it was
}

// watch reads the stores until a file exists, prints each problem when it begins, and at the end a report: watch FILE NAME... Every
// name has a certificate when it begins. A name that begins with @ is that of certificates which nobody may change.
func watch(arguments []string) (int, error) {
	w := &watcher{seen: map[string]bool{}}
	var others []string
	for _, name := range arguments[1:] {
		if other, found := strings.CutPrefix(name, "@"); found {
			others = append(others, other)
			continue
		}
		w.names = append(w.names, name)
	}
	fmt.Println("witness: watches")
	for deadline := time.Now().Add(watching); time.Now().Before(deadline); <-time.After(2 * time.Millisecond) {
		if _, err := os.Stat(arguments[0]); err == nil {
			break
		}
		all, err := allCertificates()
		if err != nil {
			return 0, err
		}
		w.look(all, others, time.Now())
	}
	text, err := json.Marshal(w.report)
	fmt.Println(string(text))
	return 0, err
}

func allCertificates() ([]certificate, error) {
	var all []certificate
	for _, store := range watched {
		some, err := certificates(store)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// look judges one reading. The stores can change in the middle of it, so what is wrong counts when it is wrong twice in a row.
func (w *watcher) look(all []certificate, others []string, now time.Time) {
	w.Looks++
	served, wrong, kept := map[string]bool{}, map[string]int{}, map[string]bool{}
	for _, one := range all {
		name, thumbprint := one.Subject.CommonName, one.thumbprint()
		if slices.Contains(others, name) {
			kept[thumbprint] = true
		}
		if !slices.Contains(w.names, name) {
			continue
		}
		if !w.seen[thumbprint] {
			w.seen[thumbprint] = true
			w.Renewals++
		}
		if one.works() != nil {
			wrong[fmt.Sprintf("keyless %s of %s has no key that works", thumbprint, name)] = 1
			continue
		}
		served[name] = served[name] || one.valid(now)
	}
	for _, name := range w.names {
		if !served[name] {
			wrong[fmt.Sprintf("missing %s has no valid certificate", name)] = 1
		}
	}
	if w.others == nil {
		w.others = kept
	}
	if !maps.Equal(kept, w.others) {
		wrong[fmt.Sprintf("others of %v the store has %d certificates, not those %d", others, len(kept), len(w.others))] = 1
	}
	w.judge(wrong)
}

func (w *watcher) judge(wrong map[string]int) {
	for text := range wrong {
		wrong[text] += w.before[text]
		if wrong[text] == 2 {
			fmt.Println("witness: problem", time.Now().UTC().Format(time.RFC3339Nano), text)
			if len(w.Problems) < 20 {
				w.Problems = append(w.Problems, time.Now().Format(time.StampMilli)+" "+text)
			}
		}
	}
	w.before = wrong
}

// held is a certificate as holds prints it.
type held struct {
	// Store, Name and Thumbprint say which it is.
	Store, Name, Thumbprint string
	// Works means that it has its key.
	Works bool
}

// holds prints what the stores hold, as JSON.
func holds([]string) (int, error) {
	all, err := allCertificates()
	if err != nil {
		return 0, err
	}
	list := []held{}
	for _, one := range all {
		list = append(list, held{one.store, one.Subject.CommonName, one.thumbprint(), one.works() == nil})
	}
	text, err := json.Marshal(list)
	fmt.Println(string(text))
	return 0, err
}
