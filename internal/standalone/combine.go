package standalone

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings"
)

// combine makes one set of the files. Of two files that contradict each other, the one that was in use is right.
func (f *Files) combine(found *Found) {
	using := map[*file]*settings.File{}
	for _, one := range f.known {
		using[one] = one.read
		if one.read == nil {
			using[one] = one.accepted
		}
		if one.problem != nil {
			found.Problems = append(found.Problems, settings.Lines(one.problem)...)
		}
	}
	for {
		certificates, problems := settings.Combine(f.inOrder(using))
		if len(problems) > 0 {
			found.Problems = append(found.Problems, settings.Lines(problems)...)
		}
		if len(problems) == 0 || !f.withdraw(using, problems) {
			found.Certificates = certificates
			break
		}
	}
	for one, use := range using {
		one.accepted = use
		found.Incomplete = found.Incomplete || use == nil || one.problem != nil || one.read != nil && use != one.read
		found.Unread = found.Unread || use == nil
		if use != nil && len(use.Notes) > 0 {
			found.Notes = append(found.Notes, settings.Lines(settings.Problems(use.Notes))...)
		}
	}
}

// inOrder returns the contents in use, those first that are right where two contradict each other.
func (f *Files) inOrder(using map[*file]*settings.File) []settings.File {
	order := slices.SortedFunc(maps.Keys(using), func(a, b *file) int {
		return cmp.Or(cmp.Compare(f.rank(a, using[a]), f.rank(b, using[b])), strings.Compare(a.path, b.path))
	})
	var files []settings.File
	for _, one := range order {
		if using[one] != nil {
			files = append(files, *using[one])
		}
	}
	return files
}

// rank is low for a content that is right where it contradicts another: first what is in use, then what replaces such a content, then
// what the agent before this one had processed, and last what is new.
func (f *Files) rank(one *file, use *settings.File) int {
	switch {
	case use != nil && use == one.accepted:
		return 0
	case one.accepted != nil:
		return 1
	case use != nil && f.wasInUse(use):
		return 2
	}
	return 3
}

// wasInUse reports whether no certificate of a file differs from what the agent before this one had processed under its name.
func (f *Files) wasInUse(use *settings.File) bool {
	for _, certificate := range use.Certificates {
		if generation, known := f.Previous[certificate.Name]; known && generation != generationOf(certificate.Spec) {
			return false
		}
	}
	return true
}

// withdraw replaces the content of the files that have problems with what was in use before, or with nothing. It reports whether
// that changed anything. At the start, where neither of two files was in use, both are withdrawn: to take the wrong one would replace
// a certificate by another.
func (f *Files) withdraw(using map[*file]*settings.File, problems settings.Problems) bool {
	withdrawn := map[*file]bool{}
	for _, problem := range problems {
		for _, path := range []string{problem.File, problem.Other} {
			one := f.known[path]
			if one == nil || using[one] == nil || withdrawn[one] || path != problem.File && f.rank(one, using[one]) < 3 {
				continue
			}
			withdrawn[one] = true
			if using[one] == one.accepted {
				using[one] = nil
			} else {
				using[one] = one.accepted
			}
		}
	}
	return len(withdrawn) > 0
}
