package evidence

import (
	"errors"
	"fmt"
)

// Code is a stable name for a way to fail. Programs act on the code; people
// read the message.
type Code string

// The codes. An error without one counts as Internal.
const (
	NotFound        Code = "not_found"       // no such thing, or none this actor may know of
	Denied          Code = "denied"          // the rule says no
	Unauthenticated Code = "unauthenticated" // nobody is signed in
	StepUp          Code = "step_up"         // who is signed in must first prove again that it is them
	Invalid         Code = "invalid"         // the request can never succeed as it is
	Conflict        Code = "conflict"        // something else changed or is in the way; look again
	Held            Code = "held"            // a hold forbids it
	Corrupt         Code = "corrupt"         // bytes or records are not what they must be
	Full            Code = "full"            // no room to take more in; what is stored stays readable
	TooMany         Code = "too_many"        // more was asked for than one may ask in this time; later it works
	Unavailable     Code = "unavailable"     // cannot be done now; the same call may work later
	Internal        Code = "internal"        // our fault
)

// Error is a failure with a code and a sentence for people: what happened,
// what is safe, what to do next. Message never holds footage, keys or input
// that was rejected.
type Error struct {
	Code    Code
	Message string
	Err     error // the cause, for logs; may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an *Error from a sentence for people. To keep a cause, use Wrap.
func Errorf(code Code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap gives err a code and a sentence for people. It returns nil for nil.
func Wrap(code Code, err error, message string) error {
	if err == nil {
		return nil
	}
	return &Error{Code: code, Message: message, Err: err}
}

// CodeOf is the code of the outermost *Error in err's chain, Internal where
// there is none, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// MessageOf is the sentence for people of the outermost *Error, or a general
// one where there is none: internal details stay in the log.
func MessageOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Message
	}
	return "Something went wrong on the server. Nothing was changed. The reference below finds it in the server's log."
}
