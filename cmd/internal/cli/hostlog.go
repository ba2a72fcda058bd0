package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"github.com/vaultpane/vaultpane/cmd/internal/hostlog"
)

// NoHostLog turns the host log off: an empty variable counts as not set.
const NoHostLog = "0"

// HostLog says where a command logs in addition to stdout.
type HostLog struct {
	// Folder receives one file a day, "0" for no host log.
	Folder string
	// RetentionDays is how many days files are kept after their day.
	RetentionDays int
}

// defaultHostLog is below the folder that kubelet serves. On Linux there is none: kubelet keeps the output of containers, and a
// container cannot write to the host's folder.
func defaultHostLog() string {
	if runtime.GOOS == "windows" {
		return `C:\var\log\vaultpane`
	}
	return NoHostLog
}

// AddTo adds the flags. folder is the default, empty for the one of a node.
func (h *HostLog) AddTo(flags *pflag.FlagSet, folder string) {
	if folder == "" {
		folder = defaultHostLog()
	}
	flags.StringVar(&h.Folder, "host-log-dir", folder, "folder of the log on the node, one file a day, vaultpane_service_<yyyy-mm-dd>.log in UTC; 0 for none")
	flags.IntVar(&h.RetentionDays, "host-log-retention-days", 14, "days that a file of the host log is kept after its day")
}

// Validate returns an error that names the first wrong setting.
func (h *HostLog) Validate() error {
	switch {
	case h.Folder != NoHostLog && !filepath.IsAbs(h.Folder):
		return fmt.Errorf("--host-log-dir is %q, must be an absolute path, or 0 for none", h.Folder)
	case h.RetentionDays < 1 || h.RetentionDays > 3650:
		return fmt.Errorf("--host-log-retention-days is %d, must be 1 to 3650", h.RetentionDays)
	}
	return nil
}

// Start returns the logger of a command that logs to stdout and to the host log, and the function to call after the last line.
func (h *HostLog) Start(logging Logging, stdout io.Writer) (log logr.Logger, finish func()) {
	if h.Folder == NoHostLog {
		return logging.Logger(stdout), func() {}
	}
	// The writer's own lines come from its goroutine after the first line was written, when log is set.
	tell := func(message string, keysAndValues ...any) { log.Info(message, keysAndValues...) }
	writer, finish := h.beside(stdout, tell)
	log = logging.Logger(writer)
	return log, finish
}

// beside returns a writer to stdout and the host log, and the function to call after the last write.
func (h *HostLog) beside(stdout io.Writer, tell func(message string, keysAndValues ...any)) (writer io.Writer, finish func()) {
	catchCrash := func(file *os.File) { // nil for stderr only
		if err := debug.SetCrashOutput(file, debug.CrashOptions{}); err != nil {
			tell("A crash would not be seen in the host log", "cause", err.Error())
		}
	}
	log := hostlog.New(hostlog.Options{
		Folder: h.Folder, Keep: h.RetentionDays, Bound: hostlog.DefaultBound, Tell: tell, Now: time.Now, Opened: catchCrash,
	})
	// The host log comes first, since it never fails: a closed stdout must not end it.
	return io.MultiWriter(log, stdout), func() {
		log.Close()
		catchCrash(nil)
	}
}
