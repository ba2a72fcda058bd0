package childprocess

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"
	"syscall"
)

// find returns the file of a program. A name without a slash is looked up in PATH.
func find(argv []string) (string, error) {
	if len(argv) == 0 || argv[0] == "" {
		return "", fmt.Errorf("%w: no program is named", ErrNotFound)
	}
	path, err := exec.LookPath(argv[0])
	switch {
	case err == nil:
		return path, nil
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EISDIR):
		return "", fmt.Errorf("%w: %w", ErrNotExecutable, err)
	case errors.Is(err, exec.ErrDot):
		return "", fmt.Errorf("%w: %w (write .%c%s to run the one in this folder)", ErrNotFound, err, slash, argv[0])
	}
	return "", fmt.Errorf("%w: %w", ErrNotFound, err)
}

// explain returns the error of a file that is there, as find saw, and was not started.
func explain(path string, err error) error {
	for _, refusal := range refusals {
		if errors.Is(err, refusal) {
			return fmt.Errorf("%w: %s: %w", ErrNotExecutable, path, err)
		}
	}
	if slices.ContainsFunc(interpreterMissing, func(refusal error) bool { return errors.Is(err, refusal) }) {
		return fmt.Errorf("%w: %s: its interpreter or loader is missing: %w", ErrNotExecutable, path, err)
	}
	return fmt.Errorf("starting %s: %w", path, err)
}
