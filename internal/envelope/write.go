package envelope

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrExists: the target of a write exists and may not be replaced.
var ErrExists = errors.New("file exists")

// WriteFile creates path with what write writes (buffered). The target appears whole or not at all:
// the bytes go to a temporary file in the same folder, which is synced and renamed, and removed on
// any failure, of write too. An existing target is refused (ErrExists) unless force; what is not a
// regular file, such as a link or a device, is never replaced.
func WriteFile(path string, force bool, write func(io.Writer) error) error {
	return writeFile(path, force, 0o644, write)
}

// WriteSecretFile is WriteFile for salts and the like: only the owner can read the file.
func WriteSecretFile(path string, force bool, write func(io.Writer) error) error {
	return writeFile(path, force, 0o600, write)
}

func writeFile(path string, force bool, mode fs.FileMode, write func(io.Writer) error) error {
	if err := checkTarget(path, force); err != nil {
		return err
	}
	f, err := createTemp(path, mode)
	if err != nil {
		return err
	}
	renamed := false
	defer func() { // also when write panics
		if !renamed {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	// write may have taken minutes.
	if err := checkTarget(path, force); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	renamed = true
	return nil
}

func checkTarget(path string, force bool) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: %s is not a regular file and is not replaced; name another path", ErrExists, path)
	case !force:
		return fmt.Errorf("%w: %s; use --force to replace it or name another path", ErrExists, path)
	}
	return nil
}

// createTemp is os.CreateTemp with a mode that the umask applies to.
func createTemp(path string, mode fs.FileMode) (*os.File, error) {
	var suffix [8]byte
	rand.Read(suffix[:]) // never fails (Go 1.24)
	name := fmt.Sprintf(".%s.%s.tmp", filepath.Base(path), hex.EncodeToString(suffix[:]))
	return os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
}
