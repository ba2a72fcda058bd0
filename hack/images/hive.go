package main

import "encoding/binary"

// The parts of a registry hive, as they are documented in
// https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md.
const (
	block     = 4096       // of the base block and of the one bin
	binHeader = 32         // before the first cell of a bin
	none      = 0xffffffff // no offset
)

// emptyHive is a registry hive with a root key and nothing in it.
func emptyHive() []byte {
	le := binary.LittleEndian
	base := make([]byte, block)
	copy(base, "regf")
	le.PutUint32(base[4:], 1) // sequence numbers: equal, so whole
	le.PutUint32(base[8:], 1)
	le.PutUint32(base[20:], 1) // version 1.3
	le.PutUint32(base[24:], 3)
	le.PutUint32(base[32:], 1) // loaded straight into memory
	le.PutUint32(base[36:], binHeader)
	le.PutUint32(base[40:], block) // bytes of bins
	le.PutUint32(base[44:], 1)
	le.PutUint32(base[508:], checksum(base[:508]))
	return append(base, bin()...)
}

// bin has the root key, its access list, and free space.
func bin() []byte {
	le := binary.LittleEndian
	security := uint32(binHeader + len(cell(rootKey(0))))
	out := make([]byte, binHeader, block)
	copy(out, "hbin")
	le.PutUint32(out[8:], block)
	out = append(out, cell(rootKey(security))...)
	out = append(out, cell(keySecurity(security))...)
	free := make([]byte, block-len(out))
	le.PutUint32(free, uint32(len(free))) // positive: not in use
	return append(out, free...)
}

// cell is data with its length before it, negative because it is in use, and a multiple of 8.
func cell(data []byte) []byte {
	length := (4 + len(data) + 7) / 8 * 8
	out := make([]byte, length)
	binary.LittleEndian.PutUint32(out, -uint32(length))
	copy(out[4:], data)
	return out
}

func rootKey(security uint32) []byte {
	const name = "ROOT"
	le := binary.LittleEndian
	out := make([]byte, 76, 76+len(name))
	copy(out, "nk")
	le.PutUint16(out[2:], 0x4|0x8|0x20)          // KEY_HIVE_ENTRY, KEY_NO_DELETE, KEY_COMP_NAME: the root, with a name in ASCII
	le.PutUint32(out[16:], none)                 // parent
	for _, list := range []int{28, 32, 40, 48} { // subkeys, volatile ones, values, class
		le.PutUint32(out[list:], none)
	}
	le.PutUint32(out[44:], security)
	le.PutUint16(out[72:], uint16(len(name)))
	return append(out, name...)
}

// keySecurity is a list of one access list, which is its own neighbour.
func keySecurity(at uint32) []byte {
	le := binary.LittleEndian
	descriptor := keyDescriptor()
	out := make([]byte, 20, 20+len(descriptor))
	copy(out, "sk")
	le.PutUint32(out[4:], at)
	le.PutUint32(out[8:], at)
	le.PutUint32(out[12:], 1) // used once
	le.PutUint32(out[16:], uint32(len(descriptor)))
	return append(out, descriptor...)
}

// checksum is the exclusive or of 32-bit words. Two values are kept for other meanings.
func checksum(data []byte) uint32 {
	var sum uint32
	for ; len(data) >= 4; data = data[4:] {
		sum ^= binary.LittleEndian.Uint32(data)
	}
	switch sum {
	case 0:
		return 1
	case 0xffffffff:
		return 0xfffffffe
	}
	return sum
}
