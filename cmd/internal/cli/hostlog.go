package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/cmd/internal/hostlog"
)

// none turns the host log off: an empty variable counts as not set.
const none = "0"

// HostLog says where a command logs in addition to stdout.
type HostLog struct {
	// Folder receives one file a day, "0" for no host log.
	Folder string
	// RetentionDays is how many days files are kept after their day.
	RetentionDays int
}

// defaultFolder is below the folder that kubelet serves. On Linux there is none: kubelet keeps the output of containers, and a
// container cannot write to the host's folder.
func defaultFolder() string {
	if runtime.GOOS == "windows" {
		return `C:\var\log\vaultpane`
	}
	return none
}

// AddTo adds the flags.
func (h *HostLog) AddTo(flags *pflag.FlagSet) {
	flags.StringVar(&h.Folder, "host-log-dir", defaultFolder(), "folder of the log on the node, one file a day, vaultpane_service_<yyyy-mm-dd>.log in UTC; 0 for none")
	flags.IntVar(&h.RetentionDays, "host-log-retention-days", 14, "days that a file of the host log is kept after its day")
}

// Validate returns an error that names the first wrong setting.
func (h *HostLog) Validate() error {
	switch {
	case h.Folder != none && !filepath.IsAbs(h.Folder):
		return fmt.Errorf("--host-log-dir is %q, must be an absolute path, or 0 for none", h.Folder)
	case h.RetentionDays < 1 || h.RetentionDays > 3650:
		return fmt.Errorf("--host-log-retention-days is %d, must be 1 to 3650", h.RetentionDays)
	}
	return nil
}

// Beside returns a writer to stdout and the host log, and the function to call after the last write.
func (h *HostLog) Beside(stdout io.Writer) (writer io.Writer, finish func()) {
	if h.Folder == none {
		return stdout, func() {}
	}
	log := hostlog.New(hostlog.Options{
		Folder: h.Folder, Keep: h.RetentionDays, Bound: hostlog.DefaultBound, Tell: ctrl.Log.Info, Now: time.Now, Opened: catchCrash,
	})
	// The host log comes first, since it never fails: a closed stdout must not end it.
	return io.MultiWriter(log, stdout), func() {
		log.Close()
		catchCrash(nil)
	}
}

// catchCrash has the runtime write a panic's trace to this file in addition to stderr, or with nil to stderr only.
func catchCrash(file *os.File) {
	if err := debug.SetCrashOutput(file, debug.CrashOptions{}); err != nil {
		ctrl.Log.Info("A crash would not be seen in the host log", "cause", err.Error())
	}
}
