package app

import (
	"parkwire/internal/certificate"
	"parkwire/internal/config"
	"parkwire/internal/kafkalog"
	"parkwire/internal/redis"
	"parkwire/internal/secret"
)

// kafkaSecurity is how Kafka is spoken to.
func kafkaSecurity(c *config.Resolved) kafkalog.Security {
	s := kafkalog.Security{
		Mechanism: c.KafkaSASL, Username: c.KafkaUsername,
		Password: secret.Text{Value: c.KafkaPassword, File: c.KafkaPasswordFile, Setting: "kafka-password-file"},
		Token:    secret.Text{File: c.KafkaTokenFile, Setting: "kafka-token-file"},
	}
	if c.KafkaTLS {
		s.TLS = &certificate.Client{
			Setting: "kafka-tls", CAFile: c.KafkaTLSCAFile, CertFile: c.KafkaTLSCertFile, KeyFile: c.KafkaTLSKeyFile, ServerName: c.KafkaTLSServerName,
		}
	}
	return s
}

// redisLocation is where Redis is, and how it is spoken to.
func redisLocation(c *config.Resolved) redis.Location {
	return redis.Location{
		URL: c.RedisURL, PasswordFile: c.RedisPasswordFile, SentinelPasswordFile: c.RedisSentinelPasswordFile,
		TLS: certificate.Client{Setting: "redis-tls", CAFile: c.RedisTLSCAFile, CertFile: c.RedisTLSCertFile, KeyFile: c.RedisTLSKeyFile, ServerName: c.RedisTLSServerName},
	}
}
