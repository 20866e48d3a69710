package samples

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"unicode/utf8"
)

// The first bytes of the formats that have such.
var (
	gzipMagic = []byte{0x1f, 0x8b, 8} // deflate, the only method in use
	npyMagic  = []byte("\x93NUMPY")
	zipMagic  = []byte("PK\x03\x04")
	pngMagic  = []byte("\x89PNG\r\n\x1a\n")
	jpegMagic = []byte{0xff, 0xd8, 0xff}
)

// detect is the format of b by its first bytes; Raw if it looks like nothing else.
func detect(b []byte) Format {
	switch {
	case bytes.HasPrefix(b, npyMagic):
		return NPY
	case bytes.HasPrefix(b, zipMagic):
		return NPZ
	case bytes.HasPrefix(b, pngMagic):
		return PNG
	case bytes.HasPrefix(b, jpegMagic):
		return JPEG
	case looksLikeIDX(b):
		return IDX
	case looksLikeJSON(b):
		return JSON
	}
	return Raw
}

// looksLikeIDX demands that the header's dimensions account for every byte: raw integers often begin
// with zeros.
func looksLikeIDX(b []byte) bool {
	_, err := parseIDX(b)
	return err == nil
}

// looksLikeJSON: raw integers may begin with a bracket by chance, but hardly go on as text.
func looksLikeJSON(b []byte) bool {
	const probe = 512
	head := bytes.TrimLeft(b, " \t\r\n")
	if len(head) == 0 || head[0] != '[' && head[0] != '{' {
		return false
	}
	head = head[:min(len(head), probe)]
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		switch {
		case r == utf8.RuneError && n == 1 && utf8.FullRune(head):
			return false
		case r < ' ' && r != '\t' && r != '\r' && r != '\n':
			return false
		}
		head = head[n:]
	}
	return true
}

// gunzip decompresses b if it is gzipped; only IDX and raw files usually are.
func gunzip(b []byte) ([]byte, error) {
	if !bytes.HasPrefix(b, gzipMagic) {
		return b, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: gzip: %w", ErrMalformed, err)
	}
	out, err := readBounded(r)
	if err != nil {
		return nil, fmt.Errorf("%w: gzip: %w", ErrMalformed, err)
	}
	return out, nil
}
