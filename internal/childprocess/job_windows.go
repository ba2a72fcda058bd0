package childprocess

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// PROC_THREAD_ATTRIBUTE_JOB_LIST is missing in golang.org/x/sys/windows (winbase.h; since Windows 10 and Windows Server 2016,
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-updateprocthreadattribute).
const PROC_THREAD_ATTRIBUTE_JOB_LIST = 0x0002000D

// newJob returns a job object that ends its processes when the last handle to it closes. This process has the only one, and
// Windows closes it when the process ends, killed or not
// (https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_basic_limit_information). Where this process is in a
// job itself, as in every container, the new job is nested in that
// (https://learn.microsoft.com/windows/win32/procthread/nested-jobs, since Windows 8).
func newJob() (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, fmt.Errorf("creating a job object: %w", err)
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		_ = windows.CloseHandle(job)
		return 0, fmt.Errorf("limiting a job object: %w", err)
	}
	return job, nil
}

// createProcess starts a program in a job and returns a handle that the caller closes. The program is in the job from its first
// instruction on: os/exec can only start it outside, and an agent that is killed in between would leave it behind.
func createProcess(path string, argv []string, job windows.Handle) (windows.Handle, error) {
	application, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	commandLine, err := windows.UTF16PtrFromString(windows.ComposeCommandLine(argv))
	if err != nil {
		return 0, err
	}
	attributes, err := windows.NewProcThreadAttributeList(2)
	if err != nil {
		return 0, fmt.Errorf("creating a list of attributes: %w", err)
	}
	defer attributes.Delete()
	if err := attributes.Update(PROC_THREAD_ATTRIBUTE_JOB_LIST, unsafe.Pointer(&job), unsafe.Sizeof(job)); err != nil {
		return 0, fmt.Errorf("putting the program into a job: %w", err)
	}
	streams, err := inheritable(os.Stdin, os.Stdout, os.Stderr)
	defer closeAll(streams)
	if err != nil {
		return 0, fmt.Errorf("passing on the standard handles: %w", err)
	}
	startup := windows.StartupInfoEx{
		StartupInfo: windows.StartupInfo{
			Flags: windows.STARTF_USESTDHANDLES, StdInput: streams[0], StdOutput: streams[1], StdErr: streams[2],
		},
		ProcThreadAttributeList: attributes.List(),
	}
	startup.Cb = uint32(unsafe.Sizeof(startup))
	inherited := present(streams)
	if len(inherited) > 0 { // these and no other inheritable handles of this process
		size := uintptr(len(inherited)) * unsafe.Sizeof(inherited[0])
		if err := attributes.Update(windows.PROC_THREAD_ATTRIBUTE_HANDLE_LIST, unsafe.Pointer(&inherited[0]), size); err != nil {
			return 0, fmt.Errorf("passing on the standard handles: %w", err)
		}
	}
	var created windows.ProcessInformation
	err = windows.CreateProcess(application, commandLine, nil, nil, len(inherited) > 0,
		windows.EXTENDED_STARTUPINFO_PRESENT|windows.CREATE_UNICODE_ENVIRONMENT, nil, nil, &startup.StartupInfo, &created)
	if err != nil {
		return 0, err
	}
	_ = windows.CloseHandle(created.Thread)
	return created.Process, nil
}

// inheritable returns copies of handles that a new process may inherit, in their order, zero for one that this process does not
// have. The caller closes them, after an error too.
func inheritable(files ...*os.File) ([]windows.Handle, error) {
	copies := make([]windows.Handle, len(files))
	var errs []error
	for i, file := range files {
		original := windows.Handle(file.Fd())
		if original == 0 || original == windows.InvalidHandle {
			continue // as in a service
		}
		self := windows.CurrentProcess()
		errs = append(errs, windows.DuplicateHandle(self, original, self, &copies[i], 0, true, windows.DUPLICATE_SAME_ACCESS))
	}
	return copies, errors.Join(errs...)
}

func present(handles []windows.Handle) []windows.Handle {
	var present []windows.Handle
	for _, handle := range handles {
		if handle != 0 {
			present = append(present, handle)
		}
	}
	return present
}

func closeAll(handles []windows.Handle) {
	for _, handle := range present(handles) {
		_ = windows.CloseHandle(handle)
	}
}
