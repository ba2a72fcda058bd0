package standalone

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings"
)

// combine makes one set of the files. A file that contradicts another is wrong: the one that was in use already is right, and
// otherwise the first by its path.
func (f *Files) combine(found *Found) {
	using := map[*file]*settings.File{}
	for _, one := range f.known {
		using[one] = one.read
		if one.read == nil {
			using[one] = one.accepted
		}
		if one.problem != nil {
			found.Problems = append(found.Problems, lines(one.problem)...)
		}
	}
	for {
		order := slices.SortedFunc(maps.Keys(using), func(a, b *file) int {
			return cmp.Or(cmp.Compare(changed(using[a], a), changed(using[b], b)), strings.Compare(a.path, b.path))
		})
		var files []settings.File
		for _, one := range order {
			if using[one] != nil {
				files = append(files, *using[one])
			}
		}
		certificates, problems := settings.Combine(files)
		if len(problems) == 0 {
			found.Certificates = certificates
			break
		}
		found.Problems = append(found.Problems, lines(problems)...)
		if !f.withdraw(using, problems) {
			found.Certificates = certificates
			break
		}
	}
	for one, use := range using {
		one.accepted = use
		found.Incomplete = found.Incomplete || use == nil
		if use != nil && len(use.Notes) > 0 {
			found.Notes = append(found.Notes, lines(settings.Problems(use.Notes))...)
		}
	}
}

// withdraw replaces the content of the files that have problems with what was in use before, or with nothing. It reports whether
// that changed anything.
func (f *Files) withdraw(using map[*file]*settings.File, problems settings.Problems) bool {
	withdrawn := map[*file]bool{}
	for _, problem := range problems {
		if one := f.known[problem.File]; one != nil && using[one] != nil && !withdrawn[one] {
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

// changed is 0 for a file whose content is in use already, and 1 for others.
func changed(use *settings.File, one *file) int {
	if use == one.accepted {
		return 0
	}
	return 1
}

// lines returns the problems that an error holds, a line each.
func lines(err error) []string {
	return strings.Split(strings.TrimSpace(err.Error()), "\n")
}
