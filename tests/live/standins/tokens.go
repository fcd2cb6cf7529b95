package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// jwk is a key as RFC 7517 writes it, as far as it is needed here.
type jwk struct {
	Kty string   `json:"kty"`
	Kid string   `json:"kid"`
	Alg string   `json:"alg"`
	Crv string   `json:"crv"`
	X   string   `json:"x"`
	Y   string   `json:"y"`
	D   string   `json:"d"`
	K   string   `json:"k"`
	Use string   `json:"use"`
	Ops []string `json:"key_ops"`
	Ext bool     `json:"ext"`
}

// claims of a token, as far as services look at them.
type claims struct {
	Role string `json:"role"`
	Exp  int64  `json:"exp"`
	Iat  int64  `json:"iat"`
	Iss  string `json:"iss"`
	Sub  string `json:"sub"`
	Aud  any    `json:"aud"`
}

func keysOf(value string) ([]jwk, error) {
	var set struct{ Keys []jwk }
	if err := json.Unmarshal([]byte(value), &set); err != nil || len(set.Keys) == 0 {
		return nil, errors.New("is no JWKS with keys in it")
	}
	return set.Keys, nil
}

// jwks is what verifiers are given: a public EC key and the shared secret.
func jwks(value string) error {
	keys, err := keysOf(value)
	if err != nil {
		return err
	}
	var curve, octets bool
	for _, key := range keys {
		switch key.Kty {
		case "EC":
			curve = true
			if key.D != "" {
				return errors.New("holds the half of a key that signs")
			}
			if _, err := key.public(); err != nil {
				return err
			}
		case "oct":
			octets = len(decoded(key.K)) >= 32
		}
	}
	if !curve || !octets {
		return errors.New("lacks the EC key, or the shared secret")
	}
	return nil
}

// privateKeys is what the auth server signs with: an array, not a set.
func privateKeys(value string) error {
	var keys []jwk
	if err := json.Unmarshal([]byte(value), &keys); err != nil {
		return errors.New("is no JSON array of keys")
	}
	for _, key := range keys {
		if key.Kty == "EC" && key.D != "" && key.Kid != "" && key.Alg == "ES256" {
			return nil
		}
	}
	return errors.New("has no EC key with kid and alg that could sign")
}

// token is a key of the older kind: a JWT with this role, in time. Whether its signature is right is
// for those to say who have the secret.
func token(role string) check {
	return func(value string) error {
		said, err := claimsOf(value)
		if err != nil {
			return err
		}
		if said.Role != role || said.Exp <= time.Now().Unix() {
			return fmt.Errorf("is no token with role %s that is in time", role)
		}
		return nil
	}
}

func claimsOf(token string) (claims, error) {
	var said claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return said, errors.New("is no JWT")
	}
	if err := json.Unmarshal(decoded(parts[1]), &said); err != nil {
		return said, errors.New("is a JWT whose claims cannot be read")
	}
	return said, nil
}

// verified is who a token says, if one of the keys signed it and it is in time.
func verified(token string, keys []jwk, now time.Time) (claims, error) {
	said, err := claimsOf(token)
	if err != nil {
		return said, err
	}
	parts := strings.Split(token, ".")
	var header struct{ Alg, Kid string }
	if err := json.Unmarshal(decoded(parts[0]), &header); err != nil {
		return said, errors.New("is a JWT whose header cannot be read")
	}
	for _, key := range keys {
		if key.signed(header.Alg, parts[0]+"."+parts[1], decoded(parts[2])) {
			if said.Exp != 0 && said.Exp <= now.Unix() {
				return said, errors.New("is out of date")
			}
			return said, nil
		}
	}
	return said, errors.New("is signed with none of the keys")
}

func (k jwk) signed(alg, text string, signature []byte) bool {
	digest := sha256.Sum256([]byte(text))
	switch {
	case k.Kty == "oct" && alg == "HS256":
		mac := hmac.New(sha256.New, decoded(k.K))
		mac.Write([]byte(text))
		return hmac.Equal(mac.Sum(nil), signature)
	case k.Kty == "EC" && alg == "ES256" && len(signature) == 64:
		public, err := k.public()
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		return err == nil && ecdsa.Verify(public, digest[:], r, s)
	}
	return false
}

func (k jwk) public() (*ecdsa.PublicKey, error) {
	x, y := new(big.Int).SetBytes(decoded(k.X)), new(big.Int).SetBytes(decoded(k.Y))
	curve := elliptic.P256()
	if k.Crv != "P-256" || !curve.IsOnCurve(x, y) {
		return nil, errors.New("has an EC key that is no point of P-256")
	}
	return &ecdsa.PublicKey{Curve: curve, X: x, Y: y}, nil
}

// sharedSecret as the one key of a verifier that knows no other.
func sharedSecret(secret string) []jwk {
	return []jwk{{Kty: "oct", K: base64.RawURLEncoding.EncodeToString([]byte(secret))}}
}

func decoded(text string) []byte {
	raw, _ := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	return raw
}
