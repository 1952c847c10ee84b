//! `load ADDRESS PATH BODY-FILE COUNT CONNECTIONS` posts a body again and again, over connections that are kept open, each on a
//! thread of its own, and prints answers a second and the first answer. `LOAD_TOKEN` is sent as a bearer token where it is set.
//!
//! Each answer must be 200 and as long as the first; anything else ends it. A tenth as many go before, and are not counted.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Barrier;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [address, path, body, count, connections] = arguments[..] else {
        bail!("load ADDRESS PATH BODY-FILE COUNT CONNECTIONS")
    };
    let body = std::fs::read_to_string(body).with_context(|| body.to_owned())?;
    let token = std::env::var("LOAD_TOKEN").map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\n{token}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (count, connections): (usize, usize) = (count.parse()?, connections.parse()?);
    let each = count / connections;
    ensure!(each > 0, "fewer requests than connections");
    let mut first = Connection::open(address)?;
    let expected = first.ask(&request)?;
    let answer: Value = serde_json::from_slice(&expected).context("the answer is not JSON")?;
    let ready = Barrier::new(connections + 1);
    let took = std::thread::scope(|scope| -> Result<f64> {
        let running: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let warmed = Connection::open(address).and_then(|mut connection| {
                        connection.repeat(&request, each / 10 + 1, expected.len())?;
                        Ok(connection)
                    });
                    ready.wait();
                    warmed?.repeat(&request, each, expected.len())
                })
            })
            .collect();
        ready.wait();
        let began = Instant::now();
        for thread in running {
            thread.join().expect("asking does not panic")?;
        }
        Ok(began.elapsed().as_secs_f64())
    })?;
    println!("{}", json!({ "per_second": (each * connections) as f64 / took, "answer": answer }));
    Ok(())
}

struct Connection {
    to: TcpStream,
    from: BufReader<TcpStream>,
    line: String,
    body: Vec<u8>,
}

impl Connection {
    fn open(address: &str) -> Result<Self> {
        let to = TcpStream::connect(address).with_context(|| address.to_owned())?;
        to.set_nodelay(true)?;
        Ok(Self { from: BufReader::new(to.try_clone()?), to, line: String::new(), body: Vec::new() })
    }

    fn repeat(&mut self, request: &str, times: usize, length: usize) -> Result<()> {
        for _ in 0..times {
            self.exchange(request)?;
            ensure!(self.body.len() == length, "an answer of {} bytes, and the first had {length}", self.body.len());
        }
        Ok(())
    }

    fn ask(&mut self, request: &str) -> Result<Vec<u8>> {
        self.exchange(request)?;
        Ok(self.body.clone())
    }

    fn exchange(&mut self, request: &str) -> Result<()> {
        self.to.write_all(request.as_bytes())?;
        self.read_line()?;
        let accepted = self.line.starts_with("HTTP/1.1 200");
        let status = self.line.trim().to_owned();
        let mut length = None;
        while !self.read_line()?.trim().is_empty() {
            let (name, value) = self.line.split_once(':').unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse::<usize>()?);
            }
        }
        self.body.resize(length.context("an answer without a length")?, 0);
        self.from.read_exact(&mut self.body)?;
        ensure!(accepted, "{status}: {}", String::from_utf8_lossy(&self.body));
        Ok(())
    }

    fn read_line(&mut self) -> Result<&str> {
        self.line.clear();
        ensure!(self.from.read_line(&mut self.line)? > 0, "the server closed the connection");
        Ok(&self.line)
    }
}
