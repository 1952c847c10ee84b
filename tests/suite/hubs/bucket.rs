//! What hubs share in a bucket: compared with its name on the way in, copied, given up.

use std::fs;
use std::time::Duration;

use bailiwick::clock::Clock;
use bailiwick::connection::{Artefacts, ConnectionError, SharedArtefacts};
use bailiwick::model::job::S3Place;

use crate::support::*;

/// What lies in the bucket is not what it should be: it is noticed, and a whole copy at hand, or in the bucket, mends the other.
#[test]
fn an_artefact_from_a_bucket_is_compared_with_its_name() {
    let (s3, folders) = (S3::start(), [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()]);
    let place = || S3Place { prefix: "hub/".to_owned(), ..s3.place() };
    let [ours, theirs] = folders.each_ref().map(|folder| {
        let shared = SharedArtefacts::new(place(), S3::SECRET.into(), Box::new(|| Clock::machine().now_ms()));
        Artefacts::open_shared(folder.path(), shared).unwrap()
    });
    for size in [0, 9, 40 << 20] {
        let content: Vec<u8> = (0..size).map(|at: u32| (at % 251) as u8).collect();
        let stored = ours.put(&content[..]).unwrap();
        assert_eq!(ours.put(&content[..]).unwrap(), stored);
        let key = format!("hub/{}/{}", &stored.digest.to_string()[..2], stored.digest);
        assert!(fs::read(s3.object(&key)).unwrap() == content);
        assert!(!theirs.holds(&stored.digest));
        assert_eq!(theirs.verify(&stored.digest).unwrap(), stored);
        if size > 0 {
            // A copy at hand that is damaged is fetched again.
            fs::write(theirs.path(&stored.digest), b"damaged").unwrap();
            assert_eq!(theirs.verify(&stored.digest).unwrap(), stored);
            // In the bucket it is damaged: it does not get here.
            fs::write(s3.object(&key), vec![7; content.len()]).unwrap();
            fs::remove_file(theirs.path(&stored.digest)).unwrap();
            assert!(matches!(theirs.read(&stored.digest), Err(ConnectionError::ArtefactDamaged { .. })));
            assert!(!theirs.holds(&stored.digest));
        }
        // Copies are fetched again, and what another hub gave up is given up here.
        let now_ms = Clock::machine().now_ms() + 5_000;
        assert_eq!(ours.remove_copies(now_ms, Duration::from_secs(3_600)).unwrap(), 0);
        assert!(ours.remove_copies(now_ms, Duration::ZERO).unwrap() == 1 && !ours.holds(&stored.digest));
        assert_eq!(theirs.remove_settled(&stored.digest, now_ms, Duration::from_secs(3_600)).unwrap(), None, "written a moment ago");
        fs::File::open(s3.object(&key))
            .unwrap()
            .set_modified(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))
            .unwrap();
        // Written again by somebody, it stays.
        assert_eq!(ours.put(&content[..]).unwrap(), stored);
        assert_eq!(theirs.remove_settled(&stored.digest, now_ms, Duration::from_secs(3_600)).unwrap(), None);
        fs::File::open(s3.object(&key))
            .unwrap()
            .set_modified(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))
            .unwrap();
        assert_eq!(theirs.remove_settled(&stored.digest, now_ms, Duration::from_secs(3_600)).unwrap(), Some(Some(stored.size)));
        assert_eq!(theirs.remove_settled(&stored.digest, now_ms, Duration::from_secs(3_600)).unwrap(), Some(None));
        ours.remove(&stored.digest).unwrap();
        assert!(!s3.object(&key).exists() && !ours.holds(&stored.digest));
        assert!(matches!(ours.read(&stored.digest), Err(ConnectionError::ArtefactMissing { .. })));
    }
}
