package prover

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

// The files of a key folder. A verifier gets VerifyingKeyFile and ModelFile; SecretFile must not
// leave the prover.
const (
	ProvingKeyFile   = "proving.key"
	VerifyingKeyFile = "verifying.key"
	CircuitFile      = "circuit.bin"
	ManifestFile     = "manifest.json"
	ModelFile        = "model.zkc"
	SecretFile       = "model.secret"
)

// KindSecret is the kind of SecretFile.
const KindSecret = "zks "

// MaxSecret bounds the contents of SecretFile: a salt for each point of a model commitment.
const MaxSecret = 64 << 20

// UnsafeDev marks keys whose setup was done by one party, who could forge proofs.
const UnsafeDev = "unsafe-dev"

// Ceremony marks keys whose setup was done by several parties; the verifying key's description says
// which: "ceremony:" and the digest of the transcript in hexadecimal.
const Ceremony = "ceremony"

// CeremonySetup is what the description of keys says that come from the ceremony with this digest.
func CeremonySetup(digest [32]byte) string { return Ceremony + ":" + hex.EncodeToString(digest[:]) }

// Universal marks keys made of a structured reference string that serves every circuit; the verifying key's
// description says which: "universal:" and its digest in hexadecimal.
const Universal = "universal"

// SplitSetup takes the setup that a verifying key describes apart: its kind, and the digest of a
// ceremony's transcript or of a structured reference string.
func SplitSetup(setup string) (kind, digest string) {
	kind, digest, _ = strings.Cut(setup, ":")
	return kind, digest
}

// Manifest describes a key folder and holds the digests of its large files.
type Manifest struct {
	Version       string `json:"version"`
	Backend       string `json:"backend"`
	Curve         string `json:"curve"`
	Model         string `json:"model"`
	Architecture  string `json:"architecture"`
	TrustedSetup  string `json:"trusted_setup"`
	Ceremony      string `json:"ceremony,omitempty"` // digest of the transcript, for keys of a ceremony
	SRS           string `json:"srs,omitempty"`      // of a universal setup
	Constraints   int    `json:"constraints"`
	PublicInputs  int    `json:"public_inputs"`
	PrivateInput  bool   `json:"private_input"`
	PrivateOutput bool   `json:"private_output"`
	FoldRows      int    `json:"fold_rows"`
	// PublicParameters says that keys which hold the parameters do not hide them.
	PublicParameters bool            `json:"public_parameters,omitempty"`
	VerifyingKey     string          `json:"verifying_key"`
	Files            map[string]File `json:"files"`
}

// File is one file of a key folder.
type File struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// NewManifest is a manifest with what the verifying key says.
func NewManifest(vk verifier.Key) *Manifest {
	digest, d := vk.Digest(), vk.Describe()
	m := &Manifest{Version: Version, Backend: vk.Backend(), Curve: "bn254", Model: d.Name,
		Constraints: int(d.Constraints), VerifyingKey: hex.EncodeToString(digest[:]), Files: map[string]File{}}
	switch setup, of := SplitSetup(d.TrustedSetup); setup {
	case Universal:
		m.TrustedSetup, m.SRS = setup, of
	default:
		m.TrustedSetup, m.Ceremony = setup, of
	}
	return m
}

// SaveFolder writes a key folder: the verifying key, files by name, and the manifest m, which it completes
// with their digests. The folder appears whole or not at all; an existing one is replaced only with force.
func SaveFolder(dir string, force bool, m *Manifest, vk verifier.Key, files map[string]func(io.Writer) error) error {
	if _, err := os.Lstat(dir); err == nil && !force {
		return fmt.Errorf("%w: %s; use --force to replace it or name another folder", artifact.ErrExists, dir)
	} else if err == nil {
		if _, err := os.Stat(filepath.Join(dir, ManifestFile)); err != nil {
			return fmt.Errorf("%w: %s is no key folder and is not replaced", artifact.ErrExists, dir)
		}
	}
	parent := filepath.Dir(filepath.Clean(dir))
	tmp, err := os.MkdirTemp(parent, ".zkinfer-keys-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if err := m.write(tmp, vk, files); err != nil {
		return err
	}
	return replaceDir(tmp, dir)
}

// replaceDir moves tmp to dir; an old dir is removed only when the new one stands.
func replaceDir(tmp, dir string) error {
	old := tmp + ".old"
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		os.Rename(old, dir)
		return err
	}
	return os.RemoveAll(old)
}

func (m *Manifest) write(dir string, vk verifier.Key, files map[string]func(io.Writer) error) error {
	if err := artifact.WriteVerifyingKey(filepath.Join(dir, VerifyingKeyFile), false, vk); err != nil {
		return err
	}
	for name, write := range files {
		f, err := writeDigested(filepath.Join(dir, name), write)
		if err != nil {
			return err
		}
		m.Files[name] = f
	}
	return envelope.WriteFile(filepath.Join(dir, ManifestFile), false, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(m)
	})
}

func writeDigested(path string, write func(io.Writer) error) (File, error) {
	h := sha256.New()
	count := &countingWriter{}
	err := envelope.WriteFile(path, false, func(w io.Writer) error { return write(io.MultiWriter(w, h, count)) })
	return File{count.n, hex.EncodeToString(h.Sum(nil))}, err
}

type countingWriter struct{ n int64 }

func (c *countingWriter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}

// ReadVerifyingKey reads the verifying key of the folder whose manifest is m.
func (m *Manifest) ReadVerifyingKey(dir string) (verifier.Key, error) {
	vk, err := artifact.ReadVerifyingKey(filepath.Join(dir, VerifyingKeyFile))
	if err != nil {
		return nil, err
	}
	if digest := vk.Digest(); hex.EncodeToString(digest[:]) != m.VerifyingKey || vk.Backend() != m.Backend {
		return nil, fmt.Errorf("%w: %s holds another verifying key than its manifest says", ErrMalformedKeys, dir)
	}
	return vk, nil
}

// ReadManifest reads the manifest of a key folder.
func ReadManifest(dir string) (*Manifest, error) {
	b, err := readLimited(filepath.Join(dir, ManifestFile), 1<<20)
	if err != nil {
		return nil, fmt.Errorf("reading the key folder: %w", err)
	}
	m := &Manifest{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%w: %s in %s: %w", ErrMalformedKeys, ManifestFile, dir, err)
	}
	if m.Version != Version {
		return nil, fmt.Errorf("%w: the keys in %s are of version %q, this program uses %q; run setup again", artifact.ErrUnsupportedVersion, dir, m.Version, Version)
	}
	return m, nil
}

func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%w: %s has more than %d bytes", ErrMalformedKeys, path, limit)
	}
	return b, err
}

// ReadFile decodes a file of the folder whose manifest is m, after its digest was compared: gnark's
// decoders trust lengths that they read.
func (m *Manifest) ReadFile(dir, name string, decode func(io.Reader) error) (err error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return fmt.Errorf("reading the key folder: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != m.Files[name].SHA256 {
		return fmt.Errorf("%w: %s does not have the digest that the manifest says; copy the folder again or run setup", ErrMalformedKeys, f.Name())
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	// The bytes are those that were written, unless somebody wrote a manifest for others: gnark's
	// decoders may then panic.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %s cannot be decoded: %v", ErrMalformedKeys, f.Name(), r)
		}
	}()
	if err := decode(bufio.NewReaderSize(f, 1<<20)); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrMalformedKeys, f.Name(), err)
	}
	return nil
}
