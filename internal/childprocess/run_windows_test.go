package childprocess

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

const exitAfterGrace = exitKilled

var reported = []os.Signal{os.Interrupt, syscall.SIGTERM}

func init() { roles["role-console"] = sender }

// sender is an agent that sends Ctrl+C to everything in its console, itself too, when the test sets an event, its first
// argument.
func sender(argv []string) int {
	name, err := windows.UTF16PtrFromString(argv[0])
	if err != nil {
		panic(err)
	}
	event, err := windows.OpenEvent(windows.SYNCHRONIZE, false, name)
	if err != nil {
		panic(err)
	}
	go func() {
		if _, err := windows.WaitForSingleObject(event, windows.INFINITE); err != nil {
			panic(err)
		}
		if err := windows.GenerateConsoleCtrlEvent(windows.CTRL_C_EVENT, 0); err != nil {
			panic(err)
		}
	}()
	return agent(argv[1:])
}

func TestCtrlCOfAConsoleReachesTheProgramOnceAndTheAgentWaits(t *testing.T) {
	event := fmt.Sprintf(`Local\vaultpane-childprocess-%d`, os.Getpid())
	name, err := windows.UTF16PtrFromString(event)
	if err != nil {
		t.Fatal(err)
	}
	handle, err := windows.CreateEvent(nil, 1, 0, name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = windows.CloseHandle(handle) }()
	p := launchInConsole(t, "role-console", event, os.Args[0], "role-report")
	p.ready(t)
	if err := windows.SetEvent(handle); err != nil {
		t.Fatal(err)
	}
	if line := p.line(t); line != "received interrupt" {
		t.Errorf("the program says %q", line)
	}
	if _, err := p.input.Write([]byte("end\n")); err != nil {
		t.Fatal(err)
	}
	if p.silent(t); p.unread != nil {
		t.Errorf("the program says more: %q", p.unread)
	}
	if code := p.exitCode(t); code != 42 {
		t.Errorf("exit code %d", code)
	}
}

// launchInConsole is launch in a console of its own, which shows nothing
// (https://learn.microsoft.com/windows/console/creating-a-pseudoconsole-session). Standard input and output are pipes all the
// same.
func launchInConsole(t *testing.T, arguments ...string) *process {
	t.Helper()
	screen, screenEnd := pipe(t)
	keyboardEnd, _ := pipe(t)
	go drain(screen)
	var console windows.Handle
	size := windows.Coord{X: 120, Y: 40}
	err := windows.CreatePseudoConsole(size, windows.Handle(keyboardEnd.Fd()), windows.Handle(screenEnd.Fd()), 0, &console)
	if err != nil {
		t.Fatal(err)
	}
	input, inputEnd := pipe(t)
	outputEnd, output := pipe(t)
	streams, err := inheritable(input, output, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{lines: make(chan string, 100), input: inputEnd}
	pid := createInConsole(t, console, streams, arguments)
	closeAll(streams)
	_ = output.Close()
	go p.read(outputEnd)
	p.Process, err = os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Kill()
		windows.ClosePseudoConsole(console)
	})
	return p
}

func createInConsole(t *testing.T, console windows.Handle, streams []windows.Handle, arguments []string) (pid int) {
	t.Helper()
	attributes, err := windows.NewProcThreadAttributeList(1)
	if err != nil {
		t.Fatal(err)
	}
	defer attributes.Delete()
	value := *(*unsafe.Pointer)(unsafe.Pointer(&console)) // the attribute's value is the handle itself
	if err := attributes.Update(windows.PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE, value, unsafe.Sizeof(console)); err != nil {
		t.Fatal(err)
	}
	commandLine, err := windows.UTF16PtrFromString(windows.ComposeCommandLine(append([]string{os.Args[0]}, arguments...)))
	if err != nil {
		t.Fatal(err)
	}
	startup := windows.StartupInfoEx{
		StartupInfo: windows.StartupInfo{
			Flags: windows.STARTF_USESTDHANDLES, StdInput: streams[0], StdOutput: streams[1], StdErr: streams[2],
		},
		ProcThreadAttributeList: attributes.List(),
	}
	startup.Cb = uint32(unsafe.Sizeof(startup))
	var created windows.ProcessInformation
	err = windows.CreateProcess(nil, commandLine, nil, nil, true,
		windows.EXTENDED_STARTUPINFO_PRESENT|windows.CREATE_UNICODE_ENVIRONMENT, nil, nil, &startup.StartupInfo, &created)
	if err != nil {
		t.Fatal(err)
	}
	_ = windows.CloseHandle(created.Thread)
	t.Cleanup(func() { _ = windows.CloseHandle(created.Process) }) // until then, the process id is not used again
	return int(created.ProcessId)
}

func pipe(t *testing.T) (reader, writer *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = reader.Close(), writer.Close() })
	return reader, writer
}

// drain reads what the console draws, which nothing needs; else the console would wait.
func drain(screen *os.File) {
	buffer := make([]byte, 1000)
	for {
		if _, err := screen.Read(buffer); err != nil {
			return
		}
	}
}
