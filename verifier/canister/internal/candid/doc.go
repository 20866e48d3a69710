// Package candid encodes and decodes messages of the Internet Computer's interface language, as far as
// a canister's own interface needs it.
//
// The promise: Decode takes work and memory in proportion to the message's length, whatever it
// claims about itself: the number of types, their fields, nesting and values are bounded, and a length
// is compared with what is left before anything of that size is made. Values are decoded by the types
// that the receiver expects; what a newer sender adds is skipped, as Candid's subtyping says.
//
// Source: Candid specification, version 0.1.8, sections "Binary format" and "Subtyping and coercion". Pitfalls: no
// functions or services as values, no floats among expected types; a natural number beyond 64 bits is
// refused; types that a sender declares are not compared in full but value by value, so a message is
// accepted if its values fit, even where its declared types might not.
package candid
