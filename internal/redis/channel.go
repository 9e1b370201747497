package redis

import "github.com/redis/rueidis"

// Channel is where events go between instances. What is published on a sharded one stays on the node of a cluster that has it, and is heard by those alone who
// subscribe in that way.
type Channel struct {
	Name    string
	Sharded bool
}

// Probe returns a channel beside it, on which is tried whether messages come. Where it is sharded it is at home on the same server.
func (c Channel) Probe(of string) Channel {
	begin := c.Name
	if c.Sharded {
		begin = Together(begin)
	}
	return Channel{begin + ":probe:" + of, c.Sharded}
}

// Publish is the command that publishes a message.
func (c Channel) Publish(client rueidis.Client, message string) rueidis.Completed {
	if c.Sharded {
		return client.B().Spublish().Channel(c.Name).Message(message).Build()
	}
	return client.B().Publish().Channel(c.Name).Message(message).Build()
}

// Subscribe is the command that subscribes to it, and to others beside it.
func (c Channel) Subscribe(client rueidis.Client, beside ...Channel) rueidis.Completed {
	names := []string{c.Name}
	for _, one := range beside {
		names = append(names, one.Name)
	}
	if c.Sharded {
		return client.B().Ssubscribe().Channel(names...).Build()
	}
	return client.B().Subscribe().Channel(names...).Build()
}
