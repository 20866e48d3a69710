package store

import "crypto/sha256"

// hashed is SHA-256 of the parts after a domain separator, as the interface specification has it.
func hashed(domain string, parts ...[]byte) (out [32]byte) {
	h := sha256.New()
	h.Write([]byte{byte(len(domain))})
	h.Write([]byte(domain))
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(out[:0])
	return out
}

func emptyHash() [32]byte { return hashed("ic-hashtree-empty") }

func forkHash(left, right [32]byte) [32]byte {
	return hashed("ic-hashtree-fork", left[:], right[:])
}

// LabelHash is the hash of a tree under a label.
func LabelHash(label []byte, tree [32]byte) [32]byte {
	return hashed("ic-hashtree-labeled", label, tree[:])
}

// labelled is the hash of a record under its key.
func labelled(key [32]byte, value []byte) [32]byte {
	return LabelHash(key[:], hashed("ic-hashtree-leaf", value))
}

// Kinds of nodes of a hash tree in CBOR.
const (
	cborFork = iota + 1
	cborLabel
	cborLeaf
	cborPruned
)

// Witness is a hash tree in CBOR that shows one record under a label, and hashes of everything else:
// its own hash is LabelHash(label, t.Hash()). ErrMissing if there is no such record.
func (t *Tree) Witness(label []byte, key [32]byte) ([]byte, error) {
	path, found := t.find(key)
	if found == nil {
		return nil, ErrMissing
	}
	tree := appendLabel(nil, key[:], appendArray(nil, cborLeaf, t.value(found)))
	for i := len(path) - 1; i >= 0; i-- {
		n := path[i]
		if side := n.side(key); side == 0 {
			tree = fork(tree, pruned(t.hashOf(n.children[1])))
		} else {
			tree = fork(pruned(t.hashOf(n.children[0])), tree)
		}
	}
	// The tag says that this is CBOR.
	return append([]byte{0xd9, 0xd9, 0xf7}, appendLabel(nil, label, tree)...), nil
}

func pruned(h [32]byte) []byte { return appendArray(nil, cborPruned, h[:]) }

func fork(left, right []byte) []byte {
	return append(append([]byte{0x83, cborFork}, left...), right...)
}

func appendLabel(b, label, tree []byte) []byte {
	return append(appendBytes(append(b, 0x83, cborLabel), label), tree...)
}

func appendArray(b []byte, kind byte, data []byte) []byte {
	return appendBytes(append(b, 0x82, kind), data)
}

// appendBytes appends a byte string with its length in the least number of bytes.
func appendBytes(b, data []byte) []byte {
	n := len(data)
	switch {
	case n < 24:
		b = append(b, 0x40|byte(n))
	case n < 1<<8:
		b = append(b, 0x58, byte(n))
	case n < 1<<16:
		b = append(b, 0x59, byte(n>>8), byte(n))
	default:
		b = append(b, 0x5a, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, data...)
}
