package access

// The parts of the service where two people meet.
const (
	Approvals  = "approvals"   // requests that somebody may make or decide, and reviews
	BreakGlass = "break-glass" // emergency access: one's own, or everybody's for those who review it
)

// Rights to do one thing, which Can answers like an area. They name no
// recording; what a recording needs is Decide's.
const (
	OpenBreakGlass   = "open:break-glass"
	ReviewBreakGlass = "review:break-glass" // be told of it at once, end it, review it
	Expire           = "expire"             // end what is past its time: the service's own
)

// AskOf is the right to ask for an act that needs two people, such as
// "role.grant".
func AskOf(kind string) string { return "request:" + kind }

// ApproveOf is the right to be the second of them.
func ApproveOf(kind string) string { return "approve:" + kind }
