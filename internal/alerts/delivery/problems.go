package delivery

import (
	"fmt"
	"net/http"

	"parkwire/internal/problem"
)

// The problems of channels, beside those of rest and identity. Programs tell them apart by the slug.

func channelNotFound(id string) problem.Problem {
	return problem.New(http.StatusNotFound, "channel-not-found", fmt.Sprintf("You have no channel %q.", id))
}

func tooManyChannels() problem.Problem {
	return problem.New(http.StatusConflict, "too-many-channels", fmt.Sprintf("You have %d channels, which is as many as one may have. Delete one that you do not need.", maxChannels)).With("limit", maxChannels)
}

func pushNotConfigured() problem.Problem {
	return problem.New(http.StatusConflict, "push-not-configured", "This platform sends nothing to browsers: its operator has not set alerts-vapid-subject. Use another kind of channel.").WithField("kind")
}

func mailNotConfigured() problem.Problem {
	return problem.New(http.StatusConflict, "mail-not-configured", "This platform sends no mail: its operator has not set alerts-smtp-url. Use another kind of channel.").WithField("kind")
}

func tooManyCodes() problem.Problem {
	return problem.New(http.StatusTooManyRequests, "too-many-codes", fmt.Sprintf("A mailbox is sent at most %d codes a day, and you may ask for %d. Wait for a day, or look for the last one.", codesPerDay, codesPerUser))
}

func codeRefused(left int) problem.Problem {
	return problem.New(http.StatusConflict, "code-refused", fmt.Sprintf("This is not the code that was sent; it can be tried %d times more.", left)).WithField("code").With("triesLeft", left)
}

func codeEnded() problem.Problem {
	return problem.New(http.StatusConflict, "code-ended", "The code does not hold any more. Delete the channel and add it again to get another one.").WithField("code")
}

func channelUnconfirmed() problem.Problem {
	return problem.New(http.StatusConflict, "channel-unconfirmed", "The mailbox is not confirmed. Send the code that it was sent to …/confirm first.")
}

func channelEnded() problem.Problem {
	return problem.New(http.StatusConflict, "channel-ended", "The browser has ended this subscription. Delete the channel, let the browser subscribe again and add what it gets.")
}

func channelNotActive(state string) problem.Problem {
	return problem.New(http.StatusConflict, "channel-not-active", fmt.Sprintf("The channel is %s. Set its state to \"active\" first.", state))
}

func notForKind(kind string) problem.Problem {
	return problem.New(http.StatusConflict, "channel-kind", fmt.Sprintf("This is not for channels of kind %q.", kind))
}

func testWaits() problem.Problem {
	return problem.New(http.StatusConflict, "test-waiting", "A test of this channel waits to be delivered. Look at the deliveries for what becomes of it.")
}
