package sensor

// bosch decodes the Bosch Parking Lot Sensor (TPS110, EU and US). Of the start-up's 17 bytes the last is the state.
//
// Source: "Parking Lot Sensor Communication Interface" (Bosch Connected Devices and Solutions), and its decoder in the Device Repository for
// LoRaWAN: github.com/TheThingsNetwork/lorawan-devices, vendor/bosch/tpl110-0292.js, with the examples of tps110-0292-codec.yaml.
func bosch(port int, bytes []byte) (Message, error) {
	state := func(kind Kind, what string, at int) (Message, error) {
		if err := need(what, bytes, at+1); err != nil {
			return Message{}, err
		}
		return Message{Kind: kind, Seen: true, Occupied: bytes[at]&1 == 1}, nil
	}
	switch port {
	case 1:
		return state(Status, "a parking status", 0)
	case 2:
		return state(Heartbeat, "a heartbeat", 0)
	case 3:
		return state(StartUp, "a start-up message", 16)
	case 4, 5, 6: // what the device is, how it was used, why it does what it does
		return Message{Kind: Information}, nil
	}
	return Message{}, unknownPort("Bosch Parking Lot Sensor", port)
}
