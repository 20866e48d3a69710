package wasm

import (
	"errors"
	"fmt"
)

var errTruncated = errors.New("truncated")

// reader takes pieces off a module; the first failure sticks.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
		r.b = nil
	}
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail("%w", errTruncated)
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

// uint is a number of 32 bits in LEB128.
func (r *reader) uint() uint32 {
	var out uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		out |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if out > 0xffffffff {
				r.fail("number of more than 32 bits")
			}
			return uint32(out)
		}
	}
	r.fail("number of more than 5 bytes")
	return 0
}

// number skips a number in LEB128, signed or not.
func (r *reader) number() {
	for range 10 {
		if r.byte() < 0x80 {
			return
		}
	}
	r.fail("number of more than 10 bytes")
}

func (r *reader) bytes() []byte { return r.take(int(r.uint())) }

func (r *reader) each(item func()) {
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		item()
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes too many", len(r.b))
	}
}

func (r *reader) funcType() FuncType {
	if r.byte() != 0x60 {
		r.fail("no type of a function")
	}
	return FuncType{r.bytes(), r.bytes()}
}

func (r *reader) imported() Import {
	i := Import{Module: string(r.bytes()), Name: string(r.bytes())}
	if r.byte() != KindFunction {
		r.fail("%s.%s is imported and is no function", i.Module, i.Name)
	}
	i.Type = r.uint()
	return i
}

// expression is a constant expression with its end.
func (r *reader) expression() []byte {
	whole := r.b
	for r.err == nil {
		if r.instruction().Code == OpEnd {
			return whole[:len(whole)-len(r.b)]
		}
	}
	return nil
}

func (r *reader) element() Element {
	if r.uint() != 0 {
		r.fail("element segment of an unknown kind")
	}
	e := Element{Offset: r.expression()}
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		e.Functions = append(e.Functions, r.uint())
	}
	return e
}

func (r *reader) function() Function {
	body := &reader{b: r.bytes()}
	whole := body.b
	for n := body.uint(); n > 0 && body.err == nil; n-- {
		body.uint()
		body.byte()
	}
	if body.err != nil {
		r.fail("locals: %w", body.err)
	}
	return Function{Locals: whole[:len(whole)-len(body.b)], Code: body.b}
}

// AppendUint appends a number in LEB128.
func AppendUint(b []byte, n uint64) []byte {
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

// AppendInt appends a signed number in LEB128.
func AppendInt(b []byte, n int64) []byte {
	for n < -64 || n > 63 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n)&0x7f)
}

func appendBytes(b, data []byte) []byte { return append(AppendUint(b, uint64(len(data))), data...) }

func appendSection(b []byte, id byte, body []byte) []byte { return appendBytes(append(b, id), body) }

func vector[T any](items []T, add func([]byte, T) []byte) []byte {
	if len(items) == 0 {
		return nil
	}
	b := AppendUint(nil, uint64(len(items)))
	for _, x := range items {
		b = add(b, x)
	}
	return b
}
