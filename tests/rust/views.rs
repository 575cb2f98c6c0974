//! Views: what each model can show, and that what it shows is right.

use tealight::frame::{self, Request};

use crate::common::{pairs, session};

const ALL: [Request; 18] = [
    Request::Real { n: 30 },
    Request::RealLabels { n: 30 },
    Request::Samples { n: 30 },
    Request::SampleDensity { grid: 16 },
    Request::Density { grid: 8 },
    Request::Discriminator { grid: 8 },
    Request::Manifold { grid: 5 },
    Request::LatentMap { grid: 4 },
    Request::LatentPoints { n: 30 },
    Request::Decode { u: 0.25, v: 0.75 },
    Request::Reconstruct { n: 6 },
    Request::Paths { n: 9, frames: 4 },
    Request::Energy { grid: 8 },
    Request::Classes { n: 3 },
    Request::Components,
    Request::Filters,
    Request::Conditionals { n: 5 },
    Request::Losses,
];

#[test]
fn every_view_follows_from_a_capability_and_has_the_shape_it_says() {
    for (dataset, model) in pairs() {
        let mut session = session(dataset, model, &[]);
        session.step(2).unwrap();
        let capabilities = session.model().capabilities();
        let has = |capability: &str| capabilities.contains(&capability);
        let points = session.data().shape.is_plane();
        let expected = ALL.map(|request| match request {
            Request::Real { .. } | Request::Samples { .. } | Request::Losses => true,
            Request::RealLabels { .. } => session.data().train.labels.is_some(),
            Request::SampleDensity { .. } => points,
            Request::Density { .. } => points && has("density"),
            Request::Discriminator { .. } => points && has("discriminator"),
            Request::Manifold { .. } => points && has("latent"),
            Request::LatentMap { .. } | Request::LatentPoints { .. } | Request::Decode { .. } => {
                has("latent")
            }
            Request::Reconstruct { .. } => has("reconstruct"),
            Request::Paths { .. } => has("paths"),
            Request::Energy { .. } => points && has("energy"),
            Request::Classes { .. } => has("classes"),
            Request::Components => has("components"),
            Request::Filters => has("filters"),
            Request::Conditionals { .. } => has("conditionals"),
        });
        for (request, expected) in ALL.into_iter().zip(expected) {
            let outcome = frame::prepare(&session, &[request]);
            assert_eq!(outcome.is_ok(), expected, "{model} on {dataset}: {request:?}");
            let Ok((sections, values)) = outcome else { continue };
            assert_eq!(sections[0].shape.iter().product::<usize>(), values.len(), "{request:?}");
            let finite = |x: &f32| x.is_finite() || (request == Request::Losses && x.is_nan());
            assert!(values.iter().all(finite), "{model} on {dataset}: {request:?}");
        }
    }
}

#[test]
fn several_views_share_one_buffer_without_overlap() {
    let session = session("ring", "gan", &[]);
    let requests = [Request::Real { n: 10 }, Request::Samples { n: 7 }, Request::Discriminator { grid: 6 }];
    let (sections, values) = frame::prepare(&session, &requests).unwrap();
    assert_eq!(sections.iter().map(|s| s.offset).collect::<Vec<_>>(), [0, 20, 34]);
    assert_eq!(values.len(), 34 + 36);
    let (_, alone) = frame::prepare(&session, &[requests[1]]).unwrap();
    assert_eq!(values[20..34], alone);
}

#[test]
fn the_sample_density_integrates_to_the_share_of_samples_inside() {
    let mut session = session("ring", "vae", &[]);
    session.step(200).unwrap();
    let (_, density) = frame::prepare(&session, &[Request::SampleDensity { grid: 64 }]).unwrap();
    let (_, samples) = frame::prepare(&session, &[Request::Samples { n: 4096 }]).unwrap();
    let [x0, x1, y0, y1] = session.data().extent;
    let inside = |p: &&[f32]| (x0..x1).contains(&p[0]) && (y0..y1).contains(&p[1]);
    let share = samples.chunks(2).filter(inside).count() as f32 / 4096.0;
    let mass = density.iter().sum::<f32>() * (x1 - x0) * (y1 - y0) / (64.0 * 64.0);
    // The blur carries a little over the edge.
    assert!((share - 0.02..share + 1e-3).contains(&mass), "{mass}, {share}");
}

#[test]
fn a_place_in_the_latent_plane_is_the_lattice_point_that_lies_there() {
    for model in ["gan", "vae"] {
        let mut session = session("ring", model, &[]);
        session.step(5).unwrap();
        let (_, lattice) = frame::prepare(&session, &[Request::Manifold { grid: 5 }]).unwrap();
        let (_, place) = frame::prepare(&session, &[Request::Decode { u: 0.25, v: 0.75 }]).unwrap();
        let start = 2 * (3 * 5 + 1);
        for (a, b) in lattice[start..start + 2].iter().zip(place) {
            assert!((a - b).abs() < 1e-5, "{model}: {a}, {b}");
        }
    }
}
