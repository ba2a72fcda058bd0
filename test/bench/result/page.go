package result

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/test/internal/page"
)

// Page is the page that shows the results. It has a place for each part, between "<!-- bench PART -->" and "<!-- end of bench PART -->".
type Page struct {
	// Path is its file, and Plots the file in its folder with the plots of the part watch.
	Path, Plots string
	// Command is the command with which the bench was started, and Load the machine's load average before.
	Command, Load string
}

// Write writes the rows of each part that was measured into the page, and the plots beside it.
func (p Page) Write(t *Table) error {
	content, err := os.ReadFile(p.Path)
	if err != nil {
		return fmt.Errorf("reading the page: %w", err)
	}
	text, origin := string(content), p.origin()
	for part, rows := range byPart(t.Rows) {
		begin, end := "<!-- bench "+part+" -->\n", "<!-- end of bench "+part+" -->\n"
		var found bool
		if text, found = page.Between(text, begin, end, origin+"\n"+markdown(rows)); !found {
			return fmt.Errorf("%s has no place for the part %s", p.Path, part)
		}
	}
	if len(t.Curves) > 0 {
		if err := p.draw(t.Curves); err != nil {
			return err
		}
	}
	return os.WriteFile(p.Path, []byte(text), 0o644)
}

func byPart(rows []Row) map[string][]Row {
	parts := map[string][]Row{}
	for _, row := range rows {
		parts[row.Part] = append(parts[row.Part], row)
	}
	return parts
}

// origin says when, where and how it was measured.
func (p Page) origin() string {
	return fmt.Sprintf("Measured on %s with `%s` at commit %s: %d cores, %s of memory, %s/%s, %s; load average %s before.\n",
		time.Now().UTC().Format(time.DateOnly), p.Command, page.Commit(), runtime.NumCPU(), memory(), runtime.GOOS, runtime.GOARCH, runtime.Version(), p.Load)
}

// memory is the machine's memory, on Linux.
func memory() string {
	text, err := os.ReadFile("/proc/meminfo")
	var kilobytes int
	if _, scanned := fmt.Sscanf(string(text), "MemTotal: %d kB", &kilobytes); err != nil || scanned != nil {
		return "an unknown amount"
	}
	return fmt.Sprintf("%.0f GB", float64(kilobytes)/(1<<20))
}

// draw draws the curves with a program that has a module of its own, since the library is not for the product.
func (p Page) draw(curves []Curve) error {
	data, err := json.Marshal(curves)
	if err != nil {
		return fmt.Errorf("encoding the curves: %w", err)
	}
	target, err := filepath.Abs(filepath.Join(filepath.Dir(p.Path), p.Plots))
	if err != nil {
		return err
	}
	command := exec.Command("go", "run", ".", target)
	command.Dir, command.Stdin = filepath.Join("hack", "tools", "plot"), strings.NewReader(string(data))
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("drawing the plots: %w: %s", err, output)
	}
	return nil
}
