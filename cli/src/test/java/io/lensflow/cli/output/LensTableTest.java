package io.lensflow.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.HookPoint;
import io.lensflow.records.LensResult;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LensTableTest {
  private static final Terminal WIDE = new Terminal(100, false);

  @Test
  void shouldShowLayersDownwardsAndTokensAcross() {
    assertThat(new LensTable(WIDE).render(grid(2, " is", " Paris")))
        .containsExactly(
            "       0           1",
            "layer  ·is         ·Paris",
            "    0  t0@0     0% t0@1    10%",
            "    1  t1@0    10% t1@1    20%");
  }

  @Test
  void shouldGoOnInFurtherBlocksWhenTheTerminalIsNarrow() {
    Terminal narrow = new Terminal(40, false);
    List<String> lines = new LensTable(narrow).render(grid(1, "a", "b", "c"));

    assertThat(lines)
        .containsExactly(
            "       0           1",
            "layer  a           b",
            "    0  t0@0     0% t0@1    10%",
            "",
            "       2",
            "layer  c",
            "    0  t0@2    20%");
    assertThat(lines)
        .allSatisfy(line -> assertThat(SideBySide.width(line)).isLessThanOrEqualTo(40));
  }

  @Test
  void shouldShadeByProbabilityAndEmphasiseWhatReallyCameNext() {
    LensGrid grid = new LensGrid();
    grid.add(
        LensResult.newBuilder()
            .setHookPoint(HookPoint.RESIDUAL_POST)
            .setLayers(List.of(0))
            .setPositions(List.of(0, 1))
            .setTokenIds(List.of(5, 6))
            .setTokenTexts(List.of("x", "y"))
            .setTopK(1)
            .setTopIds(List.of(6, 9))
            .setTopTexts(List.of("y", "z"))
            .setTopLogits(List.of(1f, 1f))
            .setTopProbabilities(List.of(0.97f, 0.01f))
            .build());

    String cells = new LensTable(new Terminal(100, true)).render(grid).get(2);
    assertThat(cells)
        .contains("\u001b[1;48;5;190;38;5;16my       97%\u001b[0m")
        .contains("\u001b[48;5;236;38;5;250mz        1%\u001b[0m");
  }

  @Test
  void shouldLeaveACellEmptyWhereNothingWasDecoded() {
    LensGrid grid = grid(1, "a");
    grid.add(
        LensResult.newBuilder(result(1, "b"))
            .setLayers(List.of(3))
            .setPositions(List.of(1))
            .build());

    assertThat(new LensTable(WIDE).render(grid))
        .containsExactly(
            "       0           1",
            "layer  a           b",
            "    0  t0@0     0%",
            "    3              t0@0     0%");
  }

  @Test
  void shouldMakeInvisibleCharactersVisibleAndKeepTheWidth() {
    assertThat(DisplayText.visible(" a\n\tb\u001b[31m\u200b")).isEqualTo("·a↵⇥b�[31m�");
    assertThat(DisplayText.fit("日本語", 5)).isEqualTo("日本…");
    assertThat(DisplayText.fit("e\u0301a", 4)).isEqualTo("e\u0301a  ");
    assertThat(DisplayText.fit("opposite", 7)).isEqualTo("opposi…");
    assertThat(DisplayText.width(DisplayText.fit("日本語日本語", 8))).isEqualTo(8);
  }

  @Test
  void shouldJoinBlocksByWhatIsSeenOfThem() {
    assertThat(SideBySide.join(List.of("\u001b[1mab\u001b[0m", "c"), List.of("x", "y", "z"), 2))
        .containsExactly("\u001b[1mab\u001b[0m  x", "c   y", "    z");
  }

  @Test
  void shouldDrawNeighbouringLayersWithOneTokenTogether() {
    LensGrid grid = new LensGrid();
    grid.add(
        LensResult.newBuilder(result(4, "a")).setTopTexts(List.of(" x", " x", " y", " x")).build());
    var rows = grid.layers().stream().map(layer -> grid.row(layer, 0)).toList();

    assertThat(new Trajectory(new Style(false)).of(rows))
        .isEqualTo("0-1 ·x 10%  2 ·y 20%  3 ·x 30%");
  }

  private static LensGrid grid(int layers, String... tokens) {
    LensGrid grid = new LensGrid();
    grid.add(result(layers, tokens));
    return grid;
  }

  /** Cell (layer, position) says {@code tLAYER@POSITION} with (layer + position) · 10 %. */
  private static LensResult result(int layers, String... tokens) {
    List<Integer> layerList = new ArrayList<>();
    List<Integer> positions = new ArrayList<>();
    List<Integer> ids = new ArrayList<>();
    List<String> texts = new ArrayList<>();
    List<Float> probabilities = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      layerList.add(layer);
      for (int position = 0; position < tokens.length; position++) {
        ids.add(99);
        texts.add("t" + layer + "@" + position);
        probabilities.add((layer + position) / 10f);
      }
    }
    for (int position = 0; position < tokens.length; position++) {
      positions.add(position);
    }
    return LensResult.newBuilder()
        .setHookPoint(HookPoint.RESIDUAL_POST)
        .setLayers(layerList)
        .setPositions(positions)
        .setTokenIds(positions)
        .setTokenTexts(List.of(tokens))
        .setTopK(1)
        .setTopIds(ids)
        .setTopTexts(texts)
        .setTopLogits(probabilities)
        .setTopProbabilities(probabilities)
        .build();
  }
}
