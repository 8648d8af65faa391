// A chat server on the centrifuge library, to be measured beside ours: main PORT.
//
// Every client is subscribed to one channel when it connects. One line on standard input, "MESSAGES RATE PAYLOAD",
// makes it publish so many a second, with <number> and <time> filled in (Unix time, ns); the next line ends it.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/centrifugal/centrifuge"
)

const room = "room"

func main() {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		log.Fatal(err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{
			Credentials:   &centrifuge.Credentials{},
			Subscriptions: map[string]centrifuge.SubscribeOptions{room: {}},
			PingPongConfig: &centrifuge.PingPongConfig{
				PingInterval: time.Hour,
				PongTimeout:  time.Minute,
			},
		}, nil
	})
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	handler := centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{})
	http.Handle("/ws", handler)
	go func() { log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)) }()
	fmt.Println("listening")

	lines := bufio.NewScanner(os.Stdin)
	lines.Scan()
	words := strings.SplitN(lines.Text(), " ", 3)
	messages, _ := strconv.Atoi(words[0])
	rate, _ := strconv.ParseFloat(words[1], 64)
	began := time.Now()
	for number := 0; number < messages; number++ {
		time.Sleep(time.Until(began.Add(time.Duration(float64(number) / rate * float64(time.Second)))))
		said := strings.Replace(words[2], "<number>", strconv.Itoa(number), 1)
		said = strings.Replace(said, "<time>", strconv.FormatInt(time.Now().UnixNano(), 10), 1)
		if _, err := node.Publish(room, []byte(said)); err != nil {
			log.Fatal(err)
		}
	}
	lines.Scan()
}
