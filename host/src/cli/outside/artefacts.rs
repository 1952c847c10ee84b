//! The bucket that hubs share, as a person names it.

use std::path::PathBuf;

use crate::model::job::S3Place;
use crate::run::ArtefactBucket;

/// Largest artefact that is kept in a bucket, in bytes: what an object may have there.
const OBJECT_BYTES_MAX: u64 = 5 << 40;

/// How long the bucket's server may be silent, in seconds.
const SILENCE_SECONDS_MAX: u64 = 30;

/// Reads `s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION`; the key is in the environment, as for other programs.
pub(crate) fn artefacts(url: &str) -> Result<Box<ArtefactBucket>, String> {
    let key = |name: &str| match std::env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(value),
        _ => Err(format!("the environment has no {name}, which opens the bucket")),
    };
    let place = place(url)?;
    let place = S3Place { access_key: key("AWS_ACCESS_KEY_ID")?, ..place };
    Ok(Box::new(ArtefactBucket { place, key: key("AWS_SECRET_ACCESS_KEY")?.into() }))
}

fn place(url: &str) -> Result<S3Place, String> {
    let shape = "write s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION";
    let rest = url.strip_prefix("s3://").ok_or(shape)?;
    let (path, options) = rest.split_once('?').ok_or(shape)?;
    let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
    let prefix = prefix.trim_matches('/');
    let (mut endpoint, mut region, mut path_style, mut ca_file) = (None, None, true, None);
    for option in options.split('&') {
        match option.split_once('=').unwrap_or((option, "")) {
            ("endpoint", value) if value.len() > "https://".len() && value.starts_with("https://") => endpoint = Some(value.to_owned()),
            ("region", value) if !value.is_empty() => region = Some(value.to_owned()),
            ("path-style", value @ ("true" | "false")) => path_style = value == "true",
            ("ca-file", value) if !value.is_empty() => ca_file = Some(PathBuf::from(value)),
            _ => return Err(format!("{option:?} is not understood: {shape}; also &path-style=false and &ca-file=FILE")),
        }
    }
    if bucket.is_empty() || prefix.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(shape.to_owned());
    }
    Ok(S3Place {
        url: endpoint.ok_or(shape)?,
        region: region.ok_or(shape)?,
        bucket: bucket.to_owned(),
        prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
        path_style,
        access_key: String::new(),
        key: "artefacts".parse().expect("this is a name"),
        ca_file,
        silence_seconds_max: SILENCE_SECONDS_MAX,
        file_bytes_max: OBJECT_BYTES_MAX,
    })
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_bucket_is_named_by_one_line() {
        let made =
            place("s3://hub/artefacts/x/?endpoint=https://s3.example.org:9000&region=eu-west-2&ca-file=/etc/ca.pem").expect("a bucket");
        assert_eq!((made.bucket.as_str(), made.prefix.as_str(), made.path_style), ("hub", "artefacts/x/", true));
        assert_eq!(place("s3://hub?endpoint=https://s3.example.org&region=x").map(|place| place.prefix), Ok(String::new()));
        for wrong in [
            "hub/artefacts",
            "s3://hub/x",
            "s3://?endpoint=https://s3.example.org&region=x",
            "s3://hub?endpoint=http://s3.example.org&region=x",
            "s3://hub?endpoint=https://s3.example.org",
            "s3://hub/../x?endpoint=https://s3.example.org&region=x",
            "s3://hub?endpoint=https://s3.example.org&region=x&style=path",
        ] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
