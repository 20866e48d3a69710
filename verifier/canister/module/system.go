//go:build wasip1

package main

import "unsafe"

// The system interface of the Internet Computer.

//go:wasmimport ic0 msg_arg_data_size
func msgArgDataSize() uint32

//go:wasmimport ic0 msg_arg_data_copy
func msgArgDataCopy(dst unsafe.Pointer, offset, size uint32)

//go:wasmimport ic0 msg_caller_size
func msgCallerSize() uint32

//go:wasmimport ic0 msg_caller_copy
func msgCallerCopy(dst unsafe.Pointer, offset, size uint32)

//go:wasmimport ic0 msg_reply_data_append
func msgReplyDataAppend(src unsafe.Pointer, size uint32)

//go:wasmimport ic0 msg_reply
func msgReply()

//go:wasmimport ic0 is_controller
func isController(src unsafe.Pointer, size uint32) uint32

//go:wasmimport ic0 time
func systemTime() uint64

//go:wasmimport ic0 certified_data_set
func certifiedDataSet(src unsafe.Pointer, size uint32)

//go:wasmimport ic0 data_certificate_present
func dataCertificatePresent() uint32

//go:wasmimport ic0 data_certificate_size
func dataCertificateSize() uint32

//go:wasmimport ic0 data_certificate_copy
func dataCertificateCopy(dst unsafe.Pointer, offset, size uint32)

//go:wasmimport ic0 stable64_size
func stableSize() uint64

//go:wasmimport ic0 stable64_grow
func stableGrow(pages uint64) int64

//go:wasmimport ic0 stable64_read
func stableRead(dst, offset, size uint64)

//go:wasmimport ic0 stable64_write
func stableWrite(offset, src, size uint64)

//go:wasmimport ic0 debug_print
func debugPrint(src unsafe.Pointer, size uint32)

//go:wasmimport ic0 trap
func trapMessage(src unsafe.Pointer, size uint32)

// at is a slice's address.
func at(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

func at64(b []byte) uint64 { return uint64(uintptr(at(b))) }

func argument() []byte {
	b := make([]byte, msgArgDataSize())
	msgArgDataCopy(at(b), 0, uint32(len(b)))
	return b
}

func reply(b []byte) {
	msgReplyDataAppend(at(b), uint32(len(b)))
	msgReply()
}

// trap ends the message and undoes it.
func trap(message string) {
	b := []byte(message)
	debugPrint(at(b), uint32(len(b)))
	trapMessage(at(b), uint32(len(b)))
}

// system is service.System.
type system struct{}

func (system) Caller() []byte {
	b := make([]byte, msgCallerSize())
	msgCallerCopy(at(b), 0, uint32(len(b)))
	return b
}

func (system) IsController(principal []byte) bool {
	return isController(at(principal), uint32(len(principal))) == 1
}

func (system) Time() uint64 { return systemTime() }

func (system) SetCertifiedData(data []byte) { certifiedDataSet(at(data), uint32(len(data))) }

func (system) Certificate() []byte {
	if dataCertificatePresent() == 0 {
		return nil
	}
	b := make([]byte, dataCertificateSize())
	dataCertificateCopy(at(b), 0, uint32(len(b)))
	return b
}

func (system) Pages() uint64 { return stableSize() }

func (system) Grow(pages uint64) bool { return stableGrow(pages) >= 0 }

func (system) Read(offset uint64, b []byte) { stableRead(at64(b), offset, uint64(len(b))) }

func (system) Write(offset uint64, b []byte) { stableWrite(offset, at64(b), uint64(len(b))) }
