package windows

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/keys"
	"github.com/vaultpane/vaultpane/test/winetest"
)

var rounds = flag.Int("rounds", 100, "rounds of installing, replacing and removing of TestRoundsLeaveNothingBehind")

// Limits of the store's cost beyond the bare loops. The memory of a process grows in steps, and Go's own varies between runs. The
// heaps, which Go does not use, are measured to the byte, and a certificate or store that is not freed takes more than 2 KB there.
const (
	slackMemory      = 4 << 20
	slackDescriptors = 4
)

// slackHeapARound is that of the heaps. Wine 10's give blocks in groups, and are not measured to the byte: in 16 runs the store's share
// was 1.6 KB a round less to 5.6 KB more than that of the bare loop. So only a large leak is seen there, and a small one under Wine 8.
func slackHeapARound() int64 {
	if winetest.Wine() >= 10 {
		return 8 << 10
	}
	return 512
}

// TestRoundsLeaveNothingBehind repeatedly installs a certificate, replaces it (with other key options, so another container, and
// another mark) and removes it: with the store, with the minimal bare calls, and by importing a PFX, in turn in one process. If the
// process grows with the bare calls too, the system leaks, as Wine does.
func TestRoundsLeaveNothingBehind(t *testing.T) {
	before := containersThere(t)
	loops := []*loop{
		{name: "store", round: storeRound(t)},
		{name: "bare calls", round: bareRound(t)},
		{name: "bare PFXImportCertStore", round: importRound(t)},
	}
	const parts = 10
	warmUp, part := min(*rounds, 30), max(*rounds/parts, 1)
	for _, one := range loops {
		one.run(t, warmUp)
		one.took, one.grown = 0, usage{}
	}
	for range parts {
		for _, one := range loops {
			one.run(t, part)
		}
	}
	for _, one := range loops {
		t.Logf("%d rounds of %s: %d KB more, %d B a round in the heap, %d KB more in the server, %d descriptors more, %d more in the server, %.1f s", parts*part, one.name,
			one.grown.memory/1024, one.grown.heap/int64(parts*part), one.grown.serverMemory/1024, one.grown.descriptors, one.grown.serverDescriptors, one.took.Seconds())
	}
	store, bare, imported := loops[0].grown, loops[1].grown, loops[2].grown
	for _, test := range []struct {
		what         string
		store, bare  int64
		slack, count int64
	}{
		{"bytes in the heaps", store.heap, bare.heap, slackHeapARound(), int64(parts * part)},
		{"bytes of memory", store.memory, max(bare.memory, imported.memory), slackMemory, 1},
		{"bytes of memory in Wine's server", store.serverMemory, bare.serverMemory, slackMemory, 1},
		{"descriptors", store.descriptors, bare.descriptors, slackDescriptors, 1},
		{"descriptors in Wine's server", store.serverDescriptors, bare.serverDescriptors, slackDescriptors, 1},
	} {
		if most := max(test.bare, 0) + test.slack*test.count; test.store > most {
			t.Errorf("the store used %d %s, want at most %d", test.store, test.what, most)
		}
	}
	if after := containersThere(t); !slices.Equal(after, before) {
		t.Errorf("the containers changed from %v to %v", before, after)
	}
}

// loop is one of the loops that are compared.
type loop struct {
	name  string
	round func() error
	took  time.Duration
	grown usage
}

func (l *loop) run(t *testing.T, count int) {
	t.Helper()
	before, start := used(t), time.Now()
	for i := range count {
		if err := l.round(); err != nil {
			t.Fatalf("%s, round %d: %v", l.name, i, err)
		}
	}
	l.took += time.Since(start)
	after := used(t)
	l.grown.memory += after.memory - before.memory
	l.grown.heap += after.heap - before.heap
	l.grown.serverMemory += after.serverMemory - before.serverMemory
	l.grown.descriptors += after.descriptors - before.descriptors
	l.grown.serverDescriptors += after.serverDescriptors - before.serverDescriptors
}

var roundsStore = certstore.Ref{Location: certstore.LocalMachine, Name: "VaultpaneTestRounds"}

func storeRound(t *testing.T) func() error {
	item := storetest.RSAItem(t, "web")
	item.Access = certstore.KeyAccess(roundsStore.Location, []string{"S-1-5-20"})
	other := item
	other.Mark.Exportable, other.Mark.Version = true, "fedcba9876543210fedcba9876543210"
	thumbprint := certstore.Thumbprint(item.Certificate)
	store := New()
	return func() error {
		for _, one := range []certstore.Item{item, other} {
			if entry, err := store.Install(roundsStore, one); err != nil || entry.Key != certstore.KeyPresent {
				return fmt.Errorf("installing: %+v: %w", entry, err)
			}
		}
		return store.Remove(roundsStore, thumbprint)
	}
}

// bareRound makes only the necessary system calls of a round: it creates two containers with a key and an access list each,
// adds and replaces the certificate, and deletes the containers and the certificate. It checks and reads back nothing.
func bareRound(t *testing.T) func() error {
	item := storetest.RSAItem(t, "web")
	blob, err := keys.CAPIBlob(item.Key)
	if err != nil {
		t.Fatal(err)
	}
	descriptor, err := windows.SecurityDescriptorFromString(certstore.KeyAccess(roundsStore.Location, []string{"S-1-5-20"}))
	if err != nil {
		t.Fatal(err)
	}
	name := "vaultbare-" + certstore.Thumbprint(item.Certificate) // as long as the store's name, because leaked memory may contain it
	names := []*uint16{wideOf(t, name), wideOf(t, name+"-x")}
	properties := bareProperties{mark: wideOf(t, item.Mark.String()), friendly: wideOf(t, item.FriendlyName), provider: wideOf(t, wincrypt.MS_ENH_RSA_AES_PROV)}
	store := wideOf(t, roundsStore.Name)
	return func() error {
		for i, name := range names {
			if err := bareKey(name, properties.provider, blob, descriptor, uint32(i)*windows.CRYPT_EXPORTABLE); err != nil {
				return err
			}
			if err := bareAdd(store, item.Certificate.Raw, name, properties); err != nil {
				return err
			}
		}
		for _, name := range names {
			var none windows.Handle
			if err := windows.CryptAcquireContext(&none, name, properties.provider, windows.PROV_RSA_AES, windows.CRYPT_DELETEKEYSET|windows.CRYPT_MACHINE_KEYSET|windows.CRYPT_SILENT); err != nil {
				return err
			}
		}
		return bareDelete(store, item.Certificate.Raw)
	}
}

// bareKey creates a container with a key and an access list.
func bareKey(name, providerName *uint16, blob []byte, descriptor *windows.SECURITY_DESCRIPTOR, flags uint32) error {
	var provider, key windows.Handle
	const silent = windows.CRYPT_MACHINE_KEYSET | windows.CRYPT_SILENT
	if err := windows.CryptAcquireContext(&provider, name, providerName, windows.PROV_RSA_AES, windows.CRYPT_NEWKEYSET|silent); err != nil {
		return err
	}
	err := errors.Join(
		wincrypt.CryptImportKey(provider, &blob[0], uint32(len(blob)), 0, flags, &key),
		wincrypt.CryptDestroyKey(key),
		windows.CryptReleaseContext(provider, 0),
		windows.CryptAcquireContext(&provider, name, providerName, windows.PROV_RSA_AES, silent),
	)
	if err != nil {
		return err
	}
	return errors.Join(
		wincrypt.CryptSetProvParam(provider, wincrypt.PP_KEYSET_SEC_DESCR, (*byte)(unsafe.Pointer(descriptor)), uint32(windows.DACL_SECURITY_INFORMATION)),
		windows.CryptReleaseContext(provider, 0),
	)
}

// bareProperties are properties of the certificate that the bare loop installs.
type bareProperties struct{ mark, friendly, provider *uint16 }

func bareOpen(name *uint16) (windows.Handle, error) {
	return windows.CertOpenStore(windows.CERT_STORE_PROV_SYSTEM_REGISTRY_W, 0, 0, windows.CERT_SYSTEM_STORE_LOCAL_MACHINE, uintptr(unsafe.Pointer(name)))
}

// bareAdd puts a certificate into a store.
func bareAdd(name *uint16, raw []byte, container *uint16, properties bareProperties) error {
	store, err := bareOpen(name)
	if err != nil {
		return err
	}
	certificate, err := windows.CertCreateCertificateContext(encoding, &raw[0], uint32(len(raw)))
	if err != nil {
		return err
	}
	text := func(id uint32, value *uint16) error {
		blob := windows.CryptDataBlob{Size: uint32(2*len(windows.UTF16PtrToString(value)) + 2), Data: (*byte)(unsafe.Pointer(value))}
		return wincrypt.CertSetCertificateContextProperty(certificate, id, 0, unsafe.Pointer(&blob))
	}
	info := wincrypt.CryptKeyProvInfo{
		ContainerName: container, ProviderName: properties.provider, ProviderType: windows.PROV_RSA_AES, KeySpec: windows.AT_KEYEXCHANGE,
		Flags: windows.CRYPT_MACHINE_KEYSET,
	}
	err = errors.Join(
		text(wincrypt.CERT_DESCRIPTION_PROP_ID, properties.mark),
		text(wincrypt.CERT_FRIENDLY_NAME_PROP_ID, properties.friendly),
		wincrypt.CertSetCertificateContextProperty(certificate, wincrypt.CERT_KEY_PROV_INFO_PROP_ID, 0, unsafe.Pointer(&info)),
		windows.CertAddCertificateContextToStore(store, certificate, windows.CERT_STORE_ADD_REPLACE_EXISTING, nil),
	)
	_ = wincrypt.CertControlStore(store, wincrypt.CERT_STORE_CTRL_COMMIT_FORCE_FLAG, wincrypt.CERT_STORE_CTRL_COMMIT, nil) // for Wine, as in the store
	return errors.Join(err, windows.CertFreeCertificateContext(certificate), windows.CertCloseStore(store, 0))
}

// bareDelete deletes a certificate from a store.
func bareDelete(name *uint16, raw []byte) error {
	store, err := bareOpen(name)
	if err != nil {
		return err
	}
	certificate, err := windows.CertCreateCertificateContext(encoding, &raw[0], uint32(len(raw)))
	if err != nil {
		return err
	}
	found, err := windows.CertFindCertificateInStore(store, encoding, 0, windows.CERT_FIND_EXISTING, unsafe.Pointer(certificate), nil)
	if err != nil {
		return err
	}
	return errors.Join(
		windows.CertDeleteCertificateFromStore(found), // frees it too
		windows.CertFreeCertificateContext(certificate),
		windows.CertCloseStore(store, 0),
	)
}

// importRound imports a certificate as a PFX into a store in memory, which leaves no key on Windows
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-pfximportcertstore).
func importRound(t *testing.T) func() error {
	item := storetest.RSAItem(t, "pfx")
	pfx, err := pkcs12.Modern.Encode(item.Key, item.Certificate, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	const noPersistKey = 0x8000 // PKCS12_NO_PERSIST_KEY
	none := wideOf(t, "")
	return func() error {
		blob := windows.CryptDataBlob{Size: uint32(len(pfx)), Data: &pfx[0]}
		store, err := windows.PFXImportCertStore(&blob, none, noPersistKey)
		if err != nil {
			return err
		}
		certificate, err := windows.CertEnumCertificatesInStore(store, nil)
		if err != nil {
			return err
		}
		return errors.Join(windows.CertFreeCertificateContext(certificate), windows.CertCloseStore(store, 0))
	}
}

func wideOf(t *testing.T, text string) *uint16 {
	t.Helper()
	pointer, err := windows.UTF16PtrFromString(text)
	if err != nil {
		t.Fatal(err)
	}
	return pointer
}

// containersThere returns the names of Vaultpane's containers, of the machine and of the user.
func containersThere(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, location := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		containers, err := keys.List(location)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range containers {
			names = append(names, string(location)+" "+one.Name)
		}
	}
	slices.Sort(names)
	return names
}

// usage is what this process uses of the machine, and under Wine its server, which keeps handles and the registry.
type usage struct {
	memory, heap, serverMemory     int64
	descriptors, serverDescriptors int64
}

// used asks the system for the memory (https://learn.microsoft.com/windows/win32/api/psapi/ns-psapi-process_memory_counters,
// PagefileUsage) and for the handles. Wine does not count handles, so this reads the kernel's files below drive Z. Wine's
// server opens them, so "self" is the server.
func used(t *testing.T) usage {
	t.Helper()
	debug.FreeOSMemory()
	var counters [72]byte
	binary.LittleEndian.PutUint32(counters[:], uint32(len(counters)))
	kernel := windows.NewLazySystemDLL("kernel32.dll")
	if ok, _, err := kernel.NewProc("K32GetProcessMemoryInfo").Call(uintptr(windows.CurrentProcess()), uintptr(unsafe.Pointer(&counters[0])), uintptr(len(counters))); ok == 0 {
		t.Fatal(err)
	}
	now := usage{memory: int64(binary.LittleEndian.Uint64(counters[56:])), heap: heapInUse(t)}
	if winetest.OnWine() {
		now.descriptors, now.serverDescriptors = descriptorsOf(t, unixProcess(t)), descriptorsOf(t, "self")
		now.serverMemory = residentOf(t, "self")
		return now
	}
	var handles uint32
	if ok, _, err := kernel.NewProc("GetProcessHandleCount").Call(uintptr(windows.CurrentProcess()), uintptr(unsafe.Pointer(&handles))); ok == 0 {
		t.Fatal(err)
	}
	now.descriptors = int64(handles)
	return now
}

// heapInUse returns the bytes that are allocated in the heaps of this process, which the system's libraries use and Go does
// not: leaks are measured to the byte (https://learn.microsoft.com/windows/win32/api/heapapi/nf-heapapi-heapwalk).
func heapInUse(t *testing.T) int64 {
	t.Helper()
	runtime.LockOSThread() // a heap's lock belongs to a thread
	defer runtime.UnlockOSThread()
	kernel := windows.NewLazySystemDLL("kernel32.dll")
	lock, unlock, walk := kernel.NewProc("HeapLock"), kernel.NewProc("HeapUnlock"), kernel.NewProc("HeapWalk")
	for _, call := range []*windows.LazyProc{lock, unlock, walk} {
		if err := call.Find(); err != nil { // before a heap is locked
			t.Fatal(err)
		}
	}
	var heaps [64]uintptr
	count, _, err := kernel.NewProc("GetProcessHeaps").Call(uintptr(len(heaps)), uintptr(unsafe.Pointer(&heaps[0])))
	if count == 0 || int(count) > len(heaps) {
		t.Fatalf("%d heaps: %v", count, err)
	}
	const busy = 4 // PROCESS_HEAP_ENTRY_BUSY
	total := int64(0)
	for _, heap := range heaps[:count] {
		var entry [48]byte // PROCESS_HEAP_ENTRY: lpData, cbData, cbOverhead, iRegionIndex, wFlags
		if ok, _, err := lock.Call(heap); ok == 0 {
			t.Fatal(err)
		}
		for {
			if more, _, _ := walk.Call(heap, uintptr(unsafe.Pointer(&entry[0]))); more == 0 {
				break
			}
			if binary.LittleEndian.Uint16(entry[14:])&busy != 0 {
				total += int64(binary.LittleEndian.Uint32(entry[8:]))
			}
		}
		if ok, _, err := unlock.Call(heap); ok == 0 {
			t.Fatal(err)
		}
	}
	return total
}

// procFolder is the kernel's /proc, as Wine shows it.
const procFolder = `Z:\proc`

// unixProcess returns the process ID that the kernel below Wine gave this process: it finds the process by its program, which
// is in a directory of its own.
func unixProcess(t *testing.T) string {
	t.Helper()
	program := filepath.ToSlash(strings.TrimPrefix(os.Args[0], "Z:"))
	entries, err := os.ReadDir(procFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err != nil {
			continue
		}
		line, err := os.ReadFile(filepath.Join(procFolder, entry.Name(), "cmdline"))
		if err == nil && bytes.HasPrefix(line, append([]byte(program), 0)) { // an error: it has ended
			return entry.Name()
		}
	}
	t.Fatalf("the kernel has no process of %s", program)
	return ""
}

func descriptorsOf(t *testing.T, process string) int64 {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(procFolder, process, "fd"))
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(entries))
}

// residentOf returns a process' own memory in bytes, see proc(5).
func residentOf(t *testing.T, process string) int64 {
	t.Helper()
	status, err := os.ReadFile(filepath.Join(procFolder, process, "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "RssAnon:" {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return 1024 * kilobytes
		}
	}
	t.Fatalf("the kernel does not report the memory of %s", process)
	return 0
}
